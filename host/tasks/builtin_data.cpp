#include "host/tasks/builtin_data.h"

#include "host/json/json_fields.h"

namespace sluice {
namespace {

JsonFields fields_of(BuiltinData& options) {
  return {json_field("builtin", options.kind),
          json_field("count", options.count),
          json_field("words", options.words),
          json_field("distance", options.distance),
          json_field("distance-min", options.distance_min),
          json_field("reviews-seed", options.seed)};
}

}  // namespace

BuiltinData BuiltinData::held_out(std::int32_t held_out_count) const {
  BuiltinData other = *this;
  other.count = held_out_count;
  ++other.seed;
  return other;
}

std::string BuiltinData::to_json() const {
  BuiltinData copy = *this;
  return write_fields(fields_of(copy)).dump();
}

BuiltinData BuiltinData::from_json(const std::string& json, const std::string& where) {
  BuiltinData options;
  read_fields(json, fields_of(options), where, "its note on the built-in data");
  return options;
}

}  // namespace sluice
