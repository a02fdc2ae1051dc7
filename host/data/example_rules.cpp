#include "host/data/example_rules.h"

#include <algorithm>
#include <string_view>

#include "host/text/ascii_words.h"
#include "host/text/utf8.h"

namespace sluice {
namespace {

std::string find_invalid(const std::string& what, std::string_view text) {
  const std::size_t at = find_invalid_utf8(text);
  if (at == std::string_view::npos) return "";
  const std::size_t begin = at - std::min<std::size_t>(at, 20);
  return "the " + what + " is not UTF-8 at its byte " + std::to_string(at + 1) + ", near " +
         quote(text.substr(begin, 40));
}

void trim(std::string& label) {
  const std::string_view trimmed = trim_ascii(label);
  if (trimmed.size() < label.size()) label = std::string(trimmed);
}

std::string find_problem_of_text(Example& example, const ReadOptions& options) {
  if (std::string problem = find_invalid("text", example.text); !problem.empty()) return problem;
  if (std::string problem = find_invalid("label", example.label); !problem.empty()) return problem;
  if (options.targets == TargetKind::row && example.label.empty()) return "the label is missing";
  if (trim_ascii(example.text).empty()) return "the text is empty";
  if (example.text.size() <= options.max_text_bytes) return "";
  return "the text is " + std::to_string(example.text.size()) + " bytes long, more than " +
         std::to_string(options.max_text_bytes) +
         "; is there a stray quote, or a line break missing?";
}

// A vocabulary's file and the answers of `sluice predict` are lines and tabs.
std::string find_problem_of_word(const char* what, std::size_t number, std::string_view word) {
  const std::string name = std::string(what) + " " + std::to_string(number);
  if (trim_ascii(word).empty()) return name + " is empty";
  if (std::string problem = find_invalid(name, word); !problem.empty()) return problem;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; };
  if (std::none_of(word.begin(), word.end(), is_control)) return "";
  return name + " holds a control character: " + quote(word);
}

std::string find_problem_of_words(const char* what, const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string problem = find_problem_of_word(what, i + 1, words[i]);
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string find_problem_of_list(ExampleRecord& record, const ReadOptions& options) {
  Example& example = record.example;
  const bool frames = record.input == InputKind::frames;
  const std::size_t steps = frames && record.width > 0
                                ? example.frames.size() / static_cast<std::size_t>(record.width)
                                : example.tokens.size();
  const std::string name = frames ? "frames" : "tokens";
  if (steps == 0) return "the list of " + name + " is empty";
  if (options.targets == TargetKind::row) {
    if (std::string problem = find_invalid("label", example.label); !problem.empty()) {
      return problem;
    }
    if (example.label.empty()) return "the label is missing";
  }
  if (options.targets == TargetKind::step && example.labels.size() != steps) {
    return "expected a label for each step, got " + std::to_string(example.labels.size()) +
           " for " + std::to_string(steps) + " " + name;
  }
  std::size_t bytes = 0;
  for (const std::string& token : example.tokens) bytes += token.size();
  if (bytes > options.max_text_bytes) {
    return "the tokens are more than " + std::to_string(options.max_text_bytes) +
           " bytes; are the blank lines between sentences missing?";
  }
  std::string problem = find_problem_of_words("token", example.tokens);
  return problem.empty() ? find_problem_of_words("label", example.labels) : problem;
}

}  // namespace

const char* name_of_wanted(TargetKind targets) {
  return targets == TargetKind::row    ? "labelled texts"
         : targets == TargetKind::step ? "tokens or frames with a label for each"
                                       : "texts, tokens or frames";
}

std::string find_problem(ExampleRecord& record, const ReadOptions& options) {
  trim(record.example.label);
  for (std::string& label : record.example.labels) trim(label);
  return record.input == InputKind::text ? find_problem_of_text(record.example, options)
                                         : find_problem_of_list(record, options);
}

}  // namespace sluice
