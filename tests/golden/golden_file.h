// Reads the safetensors files that the scripts of this folder write.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::test {

/// The tensors of one file, by name. It knows the two types and the plain form of header those
/// scripts write; host/checkpoint/ has the reader for files of unknown origin.
/// Errors: std::runtime_error, naming the file.
class GoldenFile {
 public:
  struct Entry {
    std::string type;  ///< F32 or I32
    std::vector<std::int64_t> shape;
    std::size_t begin = 0, end = 0;
  };

  explicit GoldenFile(const std::string& path) : path_(path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    std::uint64_t header_size = 0;
    if (bytes.size() < sizeof header_size) fail("is missing or too short");
    std::memcpy(&header_size, bytes.data(), sizeof header_size);
    if (header_size > bytes.size() - sizeof header_size) fail("has a header past its end");
    read_header(bytes.substr(sizeof header_size, header_size));
    data_ = bytes.substr(sizeof header_size + header_size);
    for (const auto& [name, entry] : entries_) {
      if (entry.begin > entry.end || entry.end > data_.size()) fail("is cut off at " + name);
    }
  }

  bool has(const std::string& name) const { return entries_.count(name) != 0; }
  const std::map<std::string, Entry>& entries() const { return entries_; }

  const std::vector<std::int64_t>& shape(const std::string& name) const { return at(name).shape; }
  std::vector<float> floats(const std::string& name) const { return read<float>(name, "F32"); }
  std::vector<std::int32_t> integers(const std::string& name) const {
    return read<std::int32_t>(name, "I32");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("golden file " + path_ + " " + what);
  }

  const Entry& at(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end()) fail("has no tensor " + name);
    return found->second;
  }

  template <class Number>
  std::vector<Number> read(const std::string& name, const char* type) const {
    const Entry& entry = at(name);
    if (entry.type != type) fail("holds " + name + " as " + entry.type + ", not " + type);
    std::vector<Number> values((entry.end - entry.begin) / sizeof(Number));
    std::memcpy(values.data(), data_.data() + entry.begin, values.size() * sizeof(Number));
    return values;
  }

  // "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}, without spaces or escapes.
  void read_header(const std::string& text) {
    static const std::string type_key = "\":{\"dtype\":\"", shape_key = "\",\"shape\":[",
                             offsets_key = "],\"data_offsets\":[";
    for (std::size_t at = text.find(type_key); at != std::string::npos;
         at = text.find(type_key, at + 1)) {
      const std::size_t name_begin = text.rfind('"', at - 1) + 1;
      const std::size_t type_begin = at + type_key.size();
      const std::size_t shape_at = text.find(shape_key, type_begin);
      const std::size_t offsets_at = text.find(offsets_key, shape_at);
      if (offsets_at == std::string::npos) fail("has an unexpected header");
      Entry entry;
      entry.type = text.substr(type_begin, shape_at - type_begin);
      entry.shape = numbers(text, shape_at + shape_key.size());
      const auto offsets = numbers(text, offsets_at + offsets_key.size());
      if (offsets.size() != 2) fail("has an unexpected header");
      entry.begin = static_cast<std::size_t>(offsets[0]);
      entry.end = static_cast<std::size_t>(offsets[1]);
      entries_[text.substr(name_begin, at - name_begin)] = entry;
    }
  }

  static std::vector<std::int64_t> numbers(const std::string& text, std::size_t at) {
    std::vector<std::int64_t> values;
    while (at < text.size() && text[at] != ']') {
      std::size_t used = 0;
      values.push_back(std::stoll(text.substr(at, 20), &used));
      at += used;
      if (text[at] == ',') ++at;
    }
    return values;
  }

  std::string path_, data_;
  std::map<std::string, Entry> entries_;
};

}  // namespace sluice::test
