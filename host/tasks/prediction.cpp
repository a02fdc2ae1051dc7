#include "host/tasks/prediction.h"

#include <algorithm>
#include <string_view>

#include "kernels/base/error.h"

namespace sluice {
namespace {

std::string for_shell(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
  };
  if (std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char c : word) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

}  // namespace

void refuse_input(const ForeignFormat& format, const std::string& expected, const TextLines& lines,
                  const PredictionOptions& options) {
  std::string remedy = "make it plain UTF-8";
  if (!format.filter.empty()) {
    remedy = "try\n  " +
             (lines.from_file() ? format.filter + " < " + for_shell(lines.name())
                                : "... | " + format.filter) +
             " | sluice predict " + for_shell(options.run) + "\n";
  }
  throw Error::usage(lines.name() + ": looks like " + format.name + ", expected " + expected +
                     "; " + remedy + (remedy.back() == '\n' ? "" : " ") +
                     "or take its lines as they are with --plain");
}

}  // namespace sluice
