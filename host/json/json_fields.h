// The members of a struct by name: one list says what is written to a file and what is read back.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/json/json.h"

namespace sluice {

/// One member. Where a file does not have it, it keeps the value that the struct begins with.
struct JsonField {
  std::string name;
  std::function<Json()> write;
  std::function<void(const Json&)> read;  ///< Errors: JsonError, Error
  /// Written only where it differs from its default: an option that came later, so that versions
  /// that do not know it read the files that do not use it.
  bool when_set = false;
};
using JsonFields = std::vector<JsonField>;

/// Errors: JsonError unless `value` is an integer in [least, most].
void require_integer(const Json& value, std::int64_t least, std::uint64_t most);

/// Of a truth, a number, a string, or a std::vector or std::array of these. `member` must outlive
/// the field.
template <class T>
JsonField json_field(std::string name, T& member) {
  return {std::move(name), [&member] { return Json(member); },
          [&member](const Json& value) {
            if constexpr (std::integral<T> && !std::same_as<T, bool>) {
              require_integer(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
            }
            value.get_to(member);
          }};
}
/// Of an enumeration, by its values' names.
template <class T>
JsonField json_field(std::string name, T& member, const char* (*name_of)(T),
                     T (*from_name)(const std::string&)) {
  return {
      std::move(name), [&member, name_of] { return Json(name_of(member)); },
      [&member, from_name](const Json& value) { member = from_name(value.get<std::string>()); }};
}
/// Of a struct within, as an object.
JsonField json_field(std::string name, JsonFields members);

/// An object of all fields, but those that are `when_set` and have the value they have in
/// `defaults`, the fields of a struct just made.
Json write_fields(const JsonFields& fields, const JsonFields& defaults = {});

/// Errors: JsonError, naming the field, when `object` has one that is not in the list, or a value
/// does not fit; Error as the fields' own.
void read_fields(const Json& object, const JsonFields& fields);
/// The same from a text. `where` stands for the text's origin and `what` for the struct in
/// messages. Errors: runtime.
void read_fields(const std::string& text, const JsonFields& fields, const std::string& where,
                 const std::string& what);

}  // namespace sluice
