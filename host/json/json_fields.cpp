#include "host/json/json_fields.h"

#include <algorithm>

#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

const JsonField* find(const JsonFields& fields, const std::string& name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const JsonField& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace

void require_integer(const Json& value, std::int64_t least, std::uint64_t most) {
  bool fits = value.is_integer();
  if (fits && value.is_unsigned()) {
    fits = value.get<std::uint64_t>() <= most;
  } else if (fits) {
    const auto number = value.get<std::int64_t>();
    fits = number >= least && (number < 0 || static_cast<std::uint64_t>(number) <= most);
  }
  if (!fits) {
    throw JsonError("expected an integer from " + std::to_string(least) + " to " +
                    std::to_string(most) + ", got " + quote(value.dump()));
  }
}

JsonField json_field(std::string name, JsonFields members) {
  return {std::move(name), [members] { return write_fields(members, members); },
          [members](const Json& value) { read_fields(value, members); }};
}

Json write_fields(const JsonFields& fields, const JsonFields& defaults) {
  Json object = Json::object();
  for (const JsonField& field : fields) {
    Json value = field.write();
    const JsonField* const plain = field.when_set ? find(defaults, field.name) : nullptr;
    if (plain != nullptr && value == plain->write()) continue;
    object[field.name] = std::move(value);
  }
  return object;
}

void read_fields(const Json& object, const JsonFields& fields) {
  for (const auto& [name, value] : object.members()) {
    const JsonField* const field = find(fields, name);
    if (field == nullptr) {
      throw JsonError("unknown field " + quote(name) +
                      ", which a newer version of Sluice may have written; use that version");
    }
    try {
      field->read(value);
    } catch (const JsonError& error) {
      throw JsonError(quote(name) + ": " + error.what());
    }
  }
}

void read_fields(const std::string& text, const JsonFields& fields, const std::string& where,
                 const std::string& what) {
  try {
    read_fields(Json::parse(text), fields);
  } catch (const JsonError& error) {
    throw Error::runtime(where + ": " + what + " cannot be read: " + error.what());
  } catch (const Error& error) {
    throw Error::runtime(where + ": " + what + " is wrong: " + error.what());
  }
}

}  // namespace sluice
