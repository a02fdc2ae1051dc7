#include "host/checkpoint/safetensors.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "host/checkpoint/atomic_file.h"
#include "host/checkpoint/safetensors_header.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr const char* checksum_key = "checksum";

// CRC-32 of the header's text without its checksum, then of the data's parts.
std::string checksum(SafetensorsHeader header, const std::vector<std::string_view>& data) {
  header.metadata.erase(checksum_key);
  header.sort();
  const std::string text = header.text();
  uLong crc = crc32_z(0, nullptr, 0);
  const auto add = [&](std::string_view bytes) {
    crc = crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  add(text);
  for (const std::string_view part : data) {
    if (!part.empty()) add(part);
  }
  char digits[16];
  std::snprintf(digits, sizeof digits, "crc32:%08lx", static_cast<unsigned long>(crc));
  return digits;
}

std::string read_whole(const std::filesystem::path& path) {
  std::error_code failed;
  const std::filesystem::file_status status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status)) throw Error::usage(path.string() + ": no such file");
  if (!std::filesystem::is_regular_file(status)) {
    throw Error::usage(path.string() + ": not a file");
  }
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw Error::runtime("cannot read " + path.string() + ": " + std::strerror(errno));
  std::string bytes(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw Error::runtime("cannot read " + path.string() + ": " + std::strerror(errno));
  return bytes;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  SafetensorsHeader header;
  header.metadata = metadata;
  std::set<std::string> names;
  std::vector<std::string_view> data;
  std::uint64_t at = 0;
  for (const TensorToWrite& tensor : tensors) {
    const int bits = safetensors_bits(tensor.data_type);
    require(bits != 0, "tensor '" + tensor.name + "': unknown data type " + tensor.data_type);
    require(tensor.name != "__metadata__" && names.insert(tensor.name).second,
            "tensor name '" + tensor.name + "' is reserved or given twice");
    std::uint64_t bytes = 0;
    require(safetensors_bytes(tensor.shape, bits, bytes),
            "tensor '" + tensor.name + "': its shape has no size");
    header.entries.push_back({tensor.name, tensor.data_type, tensor.shape, at, at + bytes});
    data.emplace_back(static_cast<const char*>(tensor.data), bytes);
    at += bytes;
  }
  header.metadata[checksum_key] = checksum(header, data);
  const std::string text = header.text();
  std::string size(8, '\0');
  for (int byte = 0; byte < 8; ++byte) {
    size[byte] = static_cast<char>(static_cast<std::uint64_t>(text.size()) >> (8 * byte) & 0xff);
  }
  std::vector<std::string_view> parts = {size, text};
  parts.insert(parts.end(), data.begin(), data.end());
  replace_file(path, parts);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : SafetensorsFile(read_whole(path), path.string()) {}

SafetensorsFile::SafetensorsFile(std::string bytes, const std::string& name)
    : name_(name), file_(std::move(bytes)) {
  if (file_.size() < 8) refuse("it has only " + std::to_string(file_.size()) + " bytes");
  std::uint64_t size = 0;
  for (int byte = 0; byte < 8; ++byte) {
    size |= static_cast<std::uint64_t>(static_cast<unsigned char>(file_[byte])) << (8 * byte);
  }
  if (size > SafetensorsHeader::max_bytes) {
    refuse("it claims a header of " + std::to_string(size) + " bytes");
  }
  if (size > file_.size() - 8) {
    refuse("its header of " + std::to_string(size) + " bytes goes past the file's end");
  }
  data_ = std::string_view(file_).substr(8 + size);
  header_ = SafetensorsHeader::parse(std::string_view(file_).substr(8, size), data_.size(),
                                     [this](const std::string& what) { refuse(what); });
}

void SafetensorsFile::refuse(const std::string& what) const {
  throw Error::runtime(name_ + " is not a usable safetensors file: " + what +
                       "; it was truncated, edited, or is something else");
}

void SafetensorsFile::verify_checksum() const {
  const auto recorded = header_.metadata.find(checksum_key);
  if (recorded == header_.metadata.end()) refuse("it carries no checksum");
  if (checksum(header_, {data_}) != recorded->second) {
    refuse("its contents do not agree with its checksum");
  }
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = header_.metadata.find(key);
  if (found == header_.metadata.end()) refuse("__metadata__ lacks '" + key + "'");
  return found->second;
}

SafetensorsFile::Tensor SafetensorsFile::tensor(const std::string& tensor_name) const {
  for (const SafetensorsHeader::Entry& entry : header_.entries) {
    if (entry.name == tensor_name) {
      return {entry.data_type, entry.shape, data_.substr(entry.begin, entry.end - entry.begin)};
    }
  }
  refuse("tensor '" + tensor_name + "' is missing");
}

SafetensorsFile::Tensor SafetensorsFile::tensor(const std::string& tensor_name,
                                                const std::string& data_type,
                                                const std::vector<std::int64_t>& shape) const {
  const Tensor found = tensor(tensor_name);
  const auto text = [](const std::string& type, const std::vector<std::int64_t>& sizes) {
    std::string out = type + " [";
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      out += (i == 0 ? "" : ", ") + std::to_string(sizes[i]);
    }
    return out + "]";
  };
  if (found.data_type != data_type || found.shape != shape) {
    refuse("tensor '" + tensor_name + "' is " + text(found.data_type, found.shape) + ", expected " +
           text(data_type, shape));
  }
  return found;
}

}  // namespace sluice
