// Reading JSON as it goes by, for those who want something else than its value, or the value under
// rules of their own.
#pragma once

#include "host/json/json.h"

namespace sluice {

/// What a reader meets, in the text's order. What these throw ends the reading.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual void begin_object() = 0;
  virtual void key(std::string name) = 0;  ///< of the object begun last and not ended
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
  virtual void value(Json scalar) = 0;  ///< null, a truth, a number or a string
  /// The text is not JSON. `position`: bytes read, the end of the text counted as one; `token`:
  /// what was read last.
  virtual void error(std::size_t position, const std::string& token,
                     const std::string& message) = 0;
};

/// Whether all of `text` is one JSON value.
bool read_json(std::string_view text, JsonEvents& events);

/// Makes a value of what goes by.
class JsonBuilder : public JsonEvents {
 public:
  /// What was read. Once.
  Json take() { return std::move(root_); }

  void begin_object() override;
  void key(std::string name) override { key_ = std::move(name); }
  void end_object() override;
  void begin_array() override;
  void end_array() override { open_.pop_back(); }
  void value(Json scalar) override { add(std::move(scalar)); }
  /// Errors: JsonError.
  void error(std::size_t position, const std::string& token, const std::string& message) override;

 private:
  Json& add(Json value);

  Json root_;
  std::vector<Json*> open_;  // the objects and arrays around what comes next, outermost first
  std::string key_;
};

}  // namespace sluice
