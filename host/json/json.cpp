#include "host/json/json.h"

#include <cmath>

#include "host/json/json_events.h"

namespace sluice {
namespace {

bool holds_containers(const Json& of) {
  const auto is_container = [](const Json& each) { return each.is_array() || each.is_object(); };
  if (of.is_array()) {
    for (const Json& element : of.elements())
      if (is_container(element)) return true;
  } else if (of.is_object()) {
    for (const auto& [key, value] : of.members())
      if (is_container(value)) return true;
  }
  return false;
}

}  // namespace

Json Json::array(std::initializer_list<Json> elements) {
  Json made;
  made.value_ = Array(elements);
  return made;
}

Json Json::object(std::initializer_list<Member> members) {
  Json made;
  made.value_ = Object(members);
  return made;
}

Json::~Json() {
  if (!holds_containers(*this)) return;
  Array rest;
  const auto take_apart = [&rest](Json& of) {
    if (auto* elements = std::get_if<Array>(&of.value_)) {
      for (Json& element : *elements) rest.push_back(std::move(element));
      elements->clear();
    } else if (auto* members = std::get_if<Object>(&of.value_)) {
      for (auto& [key, value] : *members) rest.push_back(std::move(value));
      members->clear();
    }
  };
  take_apart(*this);
  while (!rest.empty()) {
    Json last = std::move(rest.back());
    rest.pop_back();
    take_apart(last);
  }
}

Json Json::parse(std::string_view text) {
  JsonBuilder builder;
  read_json(text, builder);
  return builder.take();
}

const char* Json::type_name() const {
  constexpr const char* names[] = {"null",   "boolean", "number", "number",
                                   "number", "string",  "array",  "object"};
  return names[value_.index()];
}

void Json::refuse(const char* wanted) const {
  throw JsonError(std::string("[json.exception.type_error.302] type must be ") + wanted +
                  ", but is " + type_name());
}

std::size_t Json::size() const {
  if (is_array()) return elements().size();
  if (is_object()) return members().size();
  return is_null() ? 0 : 1;
}

const Json::Array& Json::elements() const {
  if (!is_array()) refuse("array");
  return std::get<Array>(value_);
}

const Json::Object& Json::members() const {
  if (!is_object()) refuse("object");
  return std::get<Object>(value_);
}

const Json& Json::at(std::string_view key) const {
  if (!is_object()) {
    throw JsonError(std::string("[json.exception.type_error.304] cannot use at() with ") +
                    type_name());
  }
  const Json* const found = find(key);
  if (found == nullptr)
    throw JsonError("[json.exception.out_of_range.403] key '" + std::string(key) + "' not found");
  return *found;
}

const Json& Json::at(std::size_t index) const {
  if (index >= elements().size()) {
    throw JsonError("[json.exception.out_of_range.401] array index " + std::to_string(index) +
                    " is out of range");
  }
  return elements()[index];
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const auto& [name, value] : members())
    if (name == key) return &value;
  return nullptr;
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  if (!is_object()) refuse("object");
  auto& members = std::get<Object>(value_);
  for (auto& [name, value] : members)
    if (name == key) return value;
  return members.emplace_back(std::string(key), Json()).second;
}

Json& Json::push_back(Json element) {
  if (is_null()) value_ = Array();
  if (!is_array()) refuse("array");
  return std::get<Array>(value_).emplace_back(std::move(element));
}

std::string& Json::text() {
  if (!is_string()) refuse("string");
  return std::get<std::string>(value_);
}

bool operator==(const Json& a, const Json& b) {
  if (!a.is_number() || !b.is_number()) return a.value_ == b.value_;
  return std::visit(
      [](const auto& x, const auto& y) {
        using X = std::decay_t<decltype(x)>;
        using Y = std::decay_t<decltype(y)>;
        if constexpr (!std::is_arithmetic_v<X> || !std::is_arithmetic_v<Y>) {
          return false;
        } else if constexpr (std::floating_point<X> || std::floating_point<Y> ||
                             std::same_as<X, Y>) {
          return static_cast<std::common_type_t<X, Y>>(x) ==
                 static_cast<std::common_type_t<X, Y>>(y);
        } else if constexpr (std::same_as<X, bool> || std::same_as<Y, bool>) {
          return false;
        } else {
          return std::cmp_equal(x, y);
        }
      },
      a.value_, b.value_);
}

}  // namespace sluice
