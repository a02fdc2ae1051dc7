#include <optional>
#include <utility>
#include <vector>

#include "host/data/example_readers.h"
#include "host/json/json.h"
#include "host/text/ascii_words.h"
#include "host/text/utf8.h"

namespace sluice {
namespace {

std::optional<std::string> label_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_integer() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

void read_object(std::int64_t line, std::string_view text, ExampleSink& sink) {
  if (const std::size_t at = find_invalid_utf8(text); at != std::string_view::npos) {
    return sink.reject(line, "not UTF-8 at byte " + std::to_string(at + 1));
  }
  Json object;  // null where the line is no JSON
  try {
    object = Json::parse(text);
  } catch (const JsonError&) {
  }
  if (!object.is_object()) {
    return sink.reject(line, "expected a JSON object, got " + quote(text));
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.members()) keys.push_back(key);
  const ExampleColumns columns = find_example_columns(keys, sink.options());
  if (columns.label < 0) {
    return sink.reject(line, "no key " + quote(sink.options().label_column) + " for the label");
  }
  if (columns.text < 0) {
    return sink.reject(line, "no key " + quote(sink.options().text_column) + " for the text");
  }
  const std::optional<std::string> label =
      label_of(object[keys[static_cast<std::size_t>(columns.label)]]);
  Json& value = object[keys[static_cast<std::size_t>(columns.text)]];
  if (!label) return sink.reject(line, "the label is neither a string nor an integer");
  if (!value.is_string()) return sink.reject(line, "the text is not a string");
  sink.accept(line, std::move(value.text()), *label);
}

}  // namespace

void read_json_lines(std::unique_ptr<ByteSource> source, ExampleSink& sink) {
  LineReader reader(std::move(source), sink.options().max_record_bytes);
  std::string line;
  while (reader.next(line)) {
    bool blank = true;
    for (const char c : line) {
      if (!is_ascii_space(c)) {
        blank = false;
        break;
      }
    }
    if (!blank) read_object(reader.line_number(), line, sink);
  }
}

}  // namespace sluice
