#include "host/checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace sluice {
namespace {

using nlohmann::json;

// Parses, refusing what the parser by itself lets pass: a key given twice (it would keep the last)
// and nesting (the header needs three levels; the array inside a tensor is the third).
json parse_strictly(std::string_view text, const std::function<void(const std::string&)>& refuse) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > 3) refuse("its header is nested too deeply");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      refuse("its header has the key '" + parsed.get<std::string>() + "' twice");
    }
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), check);
  } catch (const json::exception& error) {
    refuse(std::string("its header is not valid JSON: ") + error.what());
  }
  return {};
}

std::map<std::string, std::string> parse_metadata(
    const json& value, const std::function<void(const std::string&)>& refuse) {
  if (!value.is_object()) refuse("__metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) refuse("__metadata__ entry '" + key + "' is not a string");
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

std::vector<std::uint64_t> parse_sizes(const json& tensor, const char* key) {
  std::vector<std::uint64_t> sizes;
  const auto found = tensor.find(key);
  if (found == tensor.end() || !found->is_array()) throw std::string(key) + " is not an array";
  for (const json& size : *found) {
    if (!size.is_number_unsigned()) throw std::string(key) + " holds something else than sizes";
    sizes.push_back(size.get<std::uint64_t>());
  }
  return sizes;
}

// Throws a std::string with what is wrong.
SafetensorsHeader::Entry parse_entry(const std::string& name, const json& tensor,
                                     std::uint64_t data_bytes) {
  if (!tensor.is_object() || tensor.size() != 3) {
    throw std::string("it must be an object of dtype, shape and data_offsets");
  }
  SafetensorsHeader::Entry entry;
  entry.name = name;
  const auto type = tensor.find("dtype");
  if (type == tensor.end() || !type->is_string()) throw std::string("dtype is not a string");
  entry.data_type = type->get<std::string>();
  const int bits = safetensors_bits(entry.data_type);
  if (bits == 0) throw "unknown dtype '" + entry.data_type + "'";

  for (const std::uint64_t size : parse_sizes(tensor, "shape")) {
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw std::string("a dimension is too large");
    }
    entry.shape.push_back(static_cast<std::int64_t>(size));
  }
  const std::vector<std::uint64_t> offsets = parse_sizes(tensor, "data_offsets");
  if (offsets.size() != 2) throw std::string("data_offsets must be [begin, end]");
  entry.begin = offsets[0];
  entry.end = offsets[1];
  if (entry.begin > entry.end || entry.end > data_bytes) {
    throw "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) +
        "] leave the file's " + std::to_string(data_bytes) + " bytes of data";
  }
  std::uint64_t bytes = 0;
  if (!safetensors_bytes(entry.shape, bits, bytes)) throw std::string("its size overflows");
  if (bytes != entry.end - entry.begin) {
    throw "its shape needs " + std::to_string(bytes) + " bytes, data_offsets give it " +
        std::to_string(entry.end - entry.begin);
  }
  return entry;
}

}  // namespace

int safetensors_bits(std::string_view data_type) {
  static const std::map<std::string_view, int> bits = {
      {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"BOOL", 8},    {"U8", 8},
      {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},
      {"U16", 16}, {"F16", 16},    {"BF16", 16},   {"I32", 32},    {"U32", 32},
      {"F32", 32}, {"I64", 64},    {"U64", 64},    {"F64", 64},    {"C64", 64}};
  const auto found = bits.find(data_type);
  return found == bits.end() ? 0 : found->second;
}

bool safetensors_bytes(const std::vector<std::int64_t>& shape, int bits, std::uint64_t& bytes) {
  std::uint64_t total = static_cast<std::uint64_t>(bits);
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(total, static_cast<std::uint64_t>(size), &total)) {
      return false;
    }
  }
  bytes = total / 8;
  return total % 8 == 0;
}

SafetensorsHeader SafetensorsHeader::parse(std::string_view text, std::uint64_t data_bytes,
                                           const std::function<void(const std::string&)>& refuse) {
  if (text.empty() || text.front() != '{') refuse("its header does not begin with '{'");
  const json parsed = parse_strictly(text, refuse);
  SafetensorsHeader header;
  for (const auto& [name, value] : parsed.items()) {
    if (name == "__metadata__") {
      header.metadata = parse_metadata(value, refuse);
      continue;
    }
    try {
      header.entries.push_back(parse_entry(name, value, data_bytes));
    } catch (const std::string& problem) {
      refuse("tensor '" + name + "': " + problem);
    }
  }
  header.sort();
  std::uint64_t at = 0;
  for (const Entry& entry : header.entries) {
    if (entry.begin != at) {
      refuse("tensor '" + entry.name + "' begins at byte " + std::to_string(entry.begin) +
             " of the data, not where the one before ends, at " + std::to_string(at));
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    refuse("its tensors take " + std::to_string(at) + " bytes, but " + std::to_string(data_bytes) +
           " follow the header: the file is truncated or has something appended");
  }
  return header;
}

void SafetensorsHeader::sort() {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
}

std::string SafetensorsHeader::text() const {
  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  for (const Entry& entry : entries) {
    root[entry.name] = {{"dtype", entry.data_type},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = root.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace sluice
