// The safetensors file format: named tensors behind a JSON header.
//
//   u64 little-endian N | N bytes of JSON | the tensors' bytes, without gaps
//
// https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/checkpoint/safetensors_header.h"

namespace sluice {

/// A tensor to be written: `data` holds the product of `shape` numbers of `data_type`.
struct TensorToWrite {
  std::string name;
  std::string data_type;  ///< the format's word: F32, F64, I32, U32, ...
  std::vector<std::int64_t> shape;
  const void* data = nullptr;
};

/// Writes `path` whole or not at all (host/checkpoint/atomic_file.h), tensors in the given order.
/// `metadata` goes to __metadata__, with one more entry `checksum`: the CRC-32 of the header
/// without it and of all the data. The same input gives the same bytes. Errors: usage on an unknown
/// data type or a name given twice; runtime from the file system.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// A file read into memory and checked through and through: whatever a header says, no byte outside
/// of the file is ever touched.
class SafetensorsFile {
 public:
  struct Tensor {
    std::string data_type;
    std::vector<std::int64_t> shape;
    std::string_view bytes;  ///< into this object's memory; exactly as large as the shape says
  };

  /// Errors: usage when the file is missing; runtime, saying what is wrong and where, when it
  /// cannot be read or breaks a rule of the format.
  explicit SafetensorsFile(const std::filesystem::path& path);

  /// The same from bytes in memory; `name` stands for the file in messages.
  SafetensorsFile(std::string bytes, const std::string& name);

  SafetensorsFile(SafetensorsFile&&) = delete;

  /// Errors: runtime unless the file carries a checksum that agrees with its contents.
  void verify_checksum() const;

  const std::string& name() const { return name_; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  /// In the order of their bytes.
  const std::vector<SafetensorsHeader::Entry>& entries() const { return header_.entries; }

  /// Errors: runtime, naming file and key, when there is no such entry or tensor.
  const std::string& metadata(const std::string& key) const;
  Tensor tensor(const std::string& tensor_name) const;
  /// Also checks data type and shape.
  Tensor tensor(const std::string& tensor_name, const std::string& data_type,
                const std::vector<std::int64_t>& shape) const;

 private:
  [[noreturn]] void refuse(const std::string& what) const;

  std::string name_;
  std::string file_;
  std::string_view data_;  // the tensors' bytes in file_
  SafetensorsHeader header_;
};

}  // namespace sluice
