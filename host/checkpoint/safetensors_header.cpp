#include "host/checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "host/json/json_events.h"

namespace sluice {
namespace {

// Refuses what a builder by itself lets pass: a key given twice (it would keep the last) and
// nesting (the header needs three levels; the array inside a tensor is the third).
class StrictBuilder : public JsonBuilder {
 public:
  explicit StrictBuilder(const std::function<void(const std::string&)>& refuse) : refuse_(refuse) {}

  void begin_object() override {
    check_depth();
    keys_.emplace_back();
    ++depth_;
    JsonBuilder::begin_object();
  }
  void key(std::string name) override {
    check_depth();
    if (!keys_.back().insert(name).second) {
      refuse_("its header has the key '" + name + "' twice");
    }
    JsonBuilder::key(std::move(name));
  }
  void end_object() override {
    keys_.pop_back();
    --depth_;
    JsonBuilder::end_object();
  }
  void begin_array() override {
    check_depth();
    ++depth_;
    JsonBuilder::begin_array();
  }
  void end_array() override {
    --depth_;
    JsonBuilder::end_array();
  }
  void value(Json scalar) override {
    check_depth();
    JsonBuilder::value(std::move(scalar));
  }
  void error(std::size_t, const std::string&, const std::string& message) override {
    refuse_("its header is not valid JSON: " + message);
  }

 private:
  void check_depth() const {
    if (depth_ > 3) refuse_("its header is nested too deeply");
  }

  const std::function<void(const std::string&)>& refuse_;
  std::vector<std::set<std::string>> keys_;  // of the objects around what comes next
  int depth_ = 0;
};

std::map<std::string, std::string> parse_metadata(
    const Json& value, const std::function<void(const std::string&)>& refuse) {
  if (!value.is_object()) refuse("__metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.members()) {
    if (!text.is_string()) refuse("__metadata__ entry '" + key + "' is not a string");
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

std::vector<std::uint64_t> parse_sizes(const Json& tensor, const char* key) {
  std::vector<std::uint64_t> sizes;
  const Json* const found = tensor.find(key);
  if (found == nullptr || !found->is_array()) throw std::string(key) + " is not an array";
  for (const Json& size : found->elements()) {
    if (!size.is_unsigned()) throw std::string(key) + " holds something else than sizes";
    sizes.push_back(size.get<std::uint64_t>());
  }
  return sizes;
}

// Throws a std::string with what is wrong.
SafetensorsHeader::Entry parse_entry(const std::string& name, const Json& tensor,
                                     std::uint64_t data_bytes) {
  if (!tensor.is_object() || tensor.size() != 3) {
    throw std::string("it must be an object of dtype, shape and data_offsets");
  }
  SafetensorsHeader::Entry entry;
  entry.name = name;
  const Json* const type = tensor.find("dtype");
  if (type == nullptr || !type->is_string()) throw std::string("dtype is not a string");
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
  StrictBuilder builder(refuse);
  read_json(text, builder);
  const Json parsed = builder.take();
  SafetensorsHeader header;
  for (const auto& [name, value] : parsed.members()) {
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
  Json root = Json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  for (const Entry& entry : entries) {
    root[entry.name] = Json::object({{"dtype", entry.data_type},
                                     {"shape", entry.shape},
                                     {"data_offsets", Json::array({entry.begin, entry.end})}});
  }
  std::string text = root.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace sluice
