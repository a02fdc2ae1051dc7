// The one source of the product that includes nlohmann-json: its headers take seconds to compile.
#include <nlohmann/json.hpp>

#include "host/json/json_events.h"

namespace sluice {
namespace {

using Library = nlohmann::ordered_json;

// What nlohmann::sax_parse calls; true: go on.
class Bridge : public nlohmann::json_sax<Library> {
 public:
  explicit Bridge(JsonEvents& events) : events_(events) {}

  bool null() override { return pass(nullptr); }
  bool boolean(bool truth) override { return pass(truth); }
  bool number_integer(number_integer_t number) override { return pass(number); }
  bool number_unsigned(number_unsigned_t number) override { return pass(number); }
  bool number_float(number_float_t number, const string_t&) override { return pass(number); }
  bool string(string_t& text) override { return pass(std::move(text)); }
  bool binary(binary_t&) override { return false; }  // of formats that are not text
  bool start_object(std::size_t) override { return events_.begin_object(), true; }
  bool key(string_t& name) override { return events_.key(std::move(name)), true; }
  bool end_object() override { return events_.end_object(), true; }
  bool start_array(std::size_t) override { return events_.begin_array(), true; }
  bool end_array() override { return events_.end_array(), true; }
  bool parse_error(std::size_t position, const std::string& token,
                   const Library::exception& error) override {
    events_.error(position, token, error.what());
    return false;
  }

 private:
  bool pass(Json value) { return events_.value(std::move(value)), true; }

  JsonEvents& events_;
};

Library to_library(const Json& json) {
  if (json.is_object()) {
    Library object = Library::object();
    auto& members = object.get_ref<Library::object_t&>();
    for (const auto& [key, value] : json.members()) {
      static_cast<Library::object_t::Container&>(members).emplace_back(key, to_library(value));
    }
    return object;
  }
  if (json.is_array()) {
    Library array = Library::array();
    for (const Json& element : json.elements()) array.push_back(to_library(element));
    return array;
  }
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_unsigned()) return json.get<std::uint64_t>();
  if (json.is_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  return nullptr;
}

}  // namespace

bool read_json(std::string_view text, JsonEvents& events) {
  Bridge bridge(events);
  return Library::sax_parse(text.begin(), text.end(), &bridge);
}

std::string Json::dump(int indentation, IllFormed ill_formed) const {
  try {
    return to_library(*this).dump(indentation, ' ', false,
                                  ill_formed == IllFormed::replace
                                      ? Library::error_handler_t::replace
                                      : Library::error_handler_t::strict);
  } catch (const Library::exception& error) {
    throw JsonError(error.what());
  }
}

std::string json_library_version() {
  return std::to_string(NLOHMANN_JSON_VERSION_MAJOR) + "." +
         std::to_string(NLOHMANN_JSON_VERSION_MINOR) + "." +
         std::to_string(NLOHMANN_JSON_VERSION_PATCH);
}

}  // namespace sluice
