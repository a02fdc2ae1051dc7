#include <unordered_map>

#include "host/json/json_events.h"

namespace sluice {
namespace {

// Of a key given more than once the first place and the last value stay.
void keep_last_values(Json::Object& members) {
  std::unordered_map<std::string_view, std::size_t> places;
  bool twice = false;
  for (std::size_t i = 0; i < members.size() && !twice; ++i)
    twice = !places.emplace(members[i].first, i).second;
  if (!twice) return;
  Json::Object kept;
  std::unordered_map<std::string, std::size_t> kept_at;
  for (auto& [key, value] : members) {
    const auto [place, is_new] = kept_at.emplace(key, kept.size());
    if (is_new) {
      kept.emplace_back(std::move(key), std::move(value));
    } else {
      kept[place->second].second = std::move(value);
    }
  }
  members = std::move(kept);
}

}  // namespace

Json& JsonBuilder::add(Json value) {
  if (open_.empty()) return root_ = std::move(value);
  if (auto* members = std::get_if<Json::Object>(&open_.back()->value_)) {
    return members->emplace_back(std::move(key_), std::move(value)).second;
  }
  return open_.back()->push_back(std::move(value));
}

void JsonBuilder::begin_object() { open_.push_back(&add(Json::object())); }

void JsonBuilder::begin_array() { open_.push_back(&add(Json::array())); }

void JsonBuilder::end_object() {
  keep_last_values(std::get<Json::Object>(open_.back()->value_));
  open_.pop_back();
}

void JsonBuilder::error(std::size_t, const std::string&, const std::string& message) {
  throw JsonError(message);
}

}  // namespace sluice
