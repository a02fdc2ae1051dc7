// JSON: values to build, look into, write and read. Objects keep the order of their keys.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

/// What is wrong with a text, or what a value is not; worded as nlohmann-json, which reads the
/// texts, words its own.
class JsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Null, true or false, a number, a string, an array or an object. What begins as null becomes an
/// object or an array when it is first given a member or an element.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  ///< no key twice

  Json() = default;
  Json(std::nullptr_t) {}
  Json(std::same_as<bool> auto truth) : value_(truth) {}
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Json(Number number)
      : value_(static_cast<Widest<Number>>(number)) {}
  Json(std::floating_point auto number) : value_(static_cast<double>(number)) {}
  Json(const char* text) : value_(std::string(text)) {}
  Json(std::string_view text) : value_(std::string(text)) {}
  Json(std::string text) : value_(std::move(text)) {}
  template <class T>
  Json(const std::vector<T>& elements) : value_(Array(elements.begin(), elements.end())) {}
  template <class T, std::size_t size>
  Json(const std::array<T, size>& elements) : value_(Array(elements.begin(), elements.end())) {}
  template <class T>
  Json(const std::map<std::string, T>& members) : value_(Object(members.begin(), members.end())) {}

  static Json array(std::initializer_list<Json> elements = {});
  static Json object(std::initializer_list<Member> members = {});

  Json(const Json&) = default;
  Json(Json&&) noexcept = default;
  Json& operator=(const Json&) = default;
  Json& operator=(Json&&) noexcept = default;
  ~Json();  // without recursion: a text may nest as deep as it is long

  /// Of a key that comes twice, the last value. Errors: JsonError, with line and column.
  static Json parse(std::string_view text);

  enum class IllFormed { refuse, replace };  ///< UTF-8: an error, or U+FFFD
  /// One line, or with an indentation a line for each element; the fewest digits that give the same
  /// double again. Errors: JsonError.
  std::string dump(int indentation = -1, IllFormed ill_formed = IllFormed::refuse) const;

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_boolean() const { return std::holds_alternative<bool>(value_); }
  bool is_unsigned() const { return std::holds_alternative<std::uint64_t>(value_); }
  bool is_integer() const { return is_unsigned() || std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  /// "null", "boolean", "number", "string", "array" or "object".
  const char* type_name() const;

  /// Of an array or an object; none of null; else 1.
  std::size_t size() const;
  /// Of an array or an object. Errors: JsonError.
  const Array& elements() const;
  const Object& members() const;
  /// Errors: JsonError when it is no object, no array, or has no such member or element.
  const Json& at(std::string_view key) const;
  const Json& at(std::size_t index) const;
  /// Null if there is none, or this is no object.
  const Json* find(std::string_view key) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  /// The member, which is added when there is none. Errors: JsonError when it is no object.
  Json& operator[](std::string_view key);
  /// Errors: JsonError when it is no array.
  Json& push_back(Json element);

  /// The value as a truth, a number (converted as the language does), a string, or a std::vector or
  /// std::array of these. Errors: JsonError, saying what it is instead.
  template <class T>
  T get() const {
    T value{};
    get_to(value);
    return value;
  }
  template <class T>
  void get_to(T& value) const;
  /// The string itself, to be taken from. Errors: JsonError.
  std::string& text();

  /// Numbers are equal by value, whatever their types; objects with the same order of keys.
  friend bool operator==(const Json& a, const Json& b);

 private:
  friend class JsonBuilder;
  template <class Number>
  using Widest = std::conditional_t<std::signed_integral<Number>, std::int64_t, std::uint64_t>;

  [[noreturn]] void refuse(const char* wanted) const;
  template <class Number>
  Number number(bool booleans_too) const;

  std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      value_;
};

template <class Number>
Number Json::number(bool booleans_too) const {
  if (const auto* of = std::get_if<std::uint64_t>(&value_)) return static_cast<Number>(*of);
  if (const auto* of = std::get_if<std::int64_t>(&value_)) return static_cast<Number>(*of);
  if (const auto* of = std::get_if<double>(&value_)) return static_cast<Number>(*of);
  if (const auto* of = std::get_if<bool>(&value_); of && booleans_too)
    return static_cast<Number>(*of);
  refuse("number");
}

template <class T>
void Json::get_to(T& value) const {
  if constexpr (std::same_as<T, bool>) {
    if (!is_boolean()) refuse("boolean");
    value = std::get<bool>(value_);
  } else if constexpr (std::is_arithmetic_v<T>) {
    value = number<T>(!std::same_as<T, std::int64_t> && !std::same_as<T, std::uint64_t> &&
                      !std::same_as<T, double>);
  } else if constexpr (std::same_as<T, std::string>) {
    if (!is_string()) refuse("string");
    value = std::get<std::string>(value_);
  } else if constexpr (requires { value.push_back({}); }) {
    value.clear();
    for (const Json& element : elements()) value.push_back(element.get<typename T::value_type>());
  } else {
    elements();  // that it is an array, even where none is wanted
    for (std::size_t i = 0; i < value.size(); ++i) at(i).get_to(value[i]);
  }
}

/// Of the library that reads and writes the texts, such as "3.11.2".
std::string json_library_version();

}  // namespace sluice
