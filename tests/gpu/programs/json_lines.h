// The protocol of the programs that a run on a GPU starts beside the tests: named cases, chosen on
// the command line, and a JSON object a line about each, written and flushed as it comes.
//
//   --list           the cases' names, a line each; needs no GPU
//   --filter REGEX   cases whose name has a match (ECMAScript)
//   --cases FILE     exactly these, a name a line, in the file's order; "-" is standard input
//   --help           what the program does and its own options
//
// Before a case {"begin": "<name>"}; after it {"case": "<name>", "result": "passed", "failed" or
// "skipped", "detail": "...", more, "end": true}. Between the two a case may write lines of its own,
// called <name>/..., without "end". After an error that the device does not get over, the case's last
// line says "broken": true and the program ends at once, so that whoever runs it can start another
// with the rest.
// Exit codes: 0 all passed or were skipped; 1 something failed; 2 wrong usage; 3 the device is broken;
// 77 none of it can run here, with the reason as the one line of a case called "all".
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sluice::test {

/// `text` as a JSON string of ASCII: control characters become escapes, what is beyond ASCII a "?".
inline std::string json_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      quoted += escape;
    } else {
      quoted += byte < 0x80 ? c : '?';
    }
  }
  return quoted + "\"";
}

/// Members of a JSON object in the order in which they were added.
class JsonFields {
 public:
  JsonFields& add(const std::string& key, double value) {  // JSON has no NaN
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return add_text(key, std::isfinite(value) ? text : "null");
  }
  JsonFields& add(const std::string& key, const std::string& value) { return add_text(key, json_text(value)); }
  JsonFields& add(const std::string& key, const char* value) { return add(key, std::string(value)); }
  JsonFields& add(const std::string& key, const JsonFields& object) {
    return add_text(key, "{" + object.members_ + "}");
  }
  JsonFields& add_true(const std::string& key) { return add_text(key, "true"); }

  /// "a": 1, "b": 2
  const std::string& members() const { return members_; }

 private:
  JsonFields& add_text(const std::string& key, const std::string& value) {
    members_ += (members_.empty() ? "" : ", ") + json_text(key) + ": " + value;
    return *this;
  }

  std::string members_;
};

/// What came of a case, or of a part of it.
struct CaseResult {
  enum Kind { passed, failed, skipped } kind = passed;
  std::string detail;
  JsonFields more = {};
};

/// Writes the lines and knows whether one of them failed.
class JsonLines {
 public:
  void begin(const std::string& name) { print(JsonFields().add("begin", name)); }

  /// A line of a part of the case that is under way; `name` starts with the case's.
  void write(const std::string& name, const CaseResult& result) { write(name, result, false); }

  /// The case's last line.
  void end(const std::string& name, const CaseResult& result) { write(name, result, true); }

  bool failed() const { return failed_; }

 private:
  void write(const std::string& name, const CaseResult& result, bool last) {
    constexpr const char* kinds[] = {"passed", "failed", "skipped"};
    JsonFields line;
    line.add("case", name).add("result", kinds[result.kind]).add("detail", result.detail);
    failed_ = failed_ || result.kind == CaseResult::failed;
    JsonFields tail;
    if (last) tail.add_true("end");
    print(line, result.more, tail);
  }

  static void print(const JsonFields& a, const JsonFields& b = {}, const JsonFields& c = {}) {
    std::string text = a.members();
    for (const JsonFields* each : {&b, &c}) {
      if (!each->members().empty()) text += ", " + each->members();
    }
    std::printf("{%s}\n", text.c_str());
    std::fflush(stdout);
  }

  bool failed_ = false;
};

struct LineCase {
  std::string name;  ///< one word, unique in the program
  /// An exception is a failure with its message.
  std::function<CaseResult(JsonLines&)> run;
};

/// An option of the program's own. Errors of `set`: std::exception, whose message names the option.
struct LineOption {
  std::string name;   ///< "--times"
  std::string value;  ///< what follows it, for --help: "N"; empty: nothing follows
  std::string help;
  std::function<void(const std::string&)> set;
};

struct LineProgram {
  std::string name, purpose;
  std::vector<LineOption> options = {};
  /// After the options were set; asks no device.
  std::function<std::vector<LineCase>()> cases = {};
  /// Why nothing can run here; empty if it can.
  std::function<std::string()> why_skipped = {};
  /// What is wrong with the device for good, asked after each case; empty if nothing.
  std::function<std::string()> why_broken = {};
};

/// Runs the program; main() returns what this returns.
inline int run_line_program(int argc, char** argv, const LineProgram& program);

namespace json_lines {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Arguments {
  bool list = false, help = false;
  std::string filter, cases;
};

inline Arguments read(int argc, char** argv, const LineProgram& program) {
  Arguments arguments;
  const std::vector<std::string> given(argv + 1, argv + argc);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& name = given[i];
    const auto value = [&]() -> const std::string& {
      if (++i == given.size()) throw UsageError(name + ": expected a value after it, got the end of the command line");
      return given[i];
    };
    if (name == "--list") {
      arguments.list = true;
    } else if (name == "--help" || name == "-h") {
      arguments.help = true;
    } else if (name == "--filter") {
      arguments.filter = value();
    } else if (name == "--cases") {
      arguments.cases = value();
    } else {
      const LineOption* own = nullptr;
      for (const LineOption& each : program.options) own = each.name == name ? &each : own;
      if (own == nullptr) throw UsageError("no option is called '" + name + "'; see --help");
      try {
        own->set(own->value.empty() ? "" : value());
      } catch (const UsageError&) {
        throw;
      } catch (const std::exception& error) {
        throw UsageError(error.what());
      }
    }
  }
  return arguments;
}

// A name a line; empty lines and names that came before are left out.
inline std::vector<std::string> names_in(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) throw UsageError("--cases: cannot read " + path);
  }
  std::istream& from = path == "-" ? std::cin : file;
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (std::string line; std::getline(from, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && seen.insert(line).second) names.push_back(line);
  }
  return names;
}

inline std::vector<LineCase> chosen(const Arguments& arguments, std::vector<LineCase> cases) {
  if (!arguments.cases.empty()) {
    std::vector<LineCase> named;
    for (const std::string& name : names_in(arguments.cases)) {
      const LineCase* found = nullptr;
      for (const LineCase& each : cases) found = each.name == name ? &each : found;
      if (found == nullptr) throw UsageError("--cases: no case is called '" + name + "'; see --list");
      named.push_back(*found);
    }
    cases = std::move(named);
  }
  std::vector<LineCase> kept;
  try {
    const std::regex filter(arguments.filter);
    for (LineCase& each : cases) {
      if (std::regex_search(each.name, filter)) kept.push_back(std::move(each));
    }
  } catch (const std::regex_error&) {
    throw UsageError("--filter: '" + arguments.filter + "' is no regular expression");
  }
  if (kept.empty()) throw UsageError("no case is left of --filter and --cases; see --list");
  return kept;
}

inline void print_help(const LineProgram& program) {
  std::printf("%s: %s\n\nA JSON object a line: {\"begin\"} before a case, {\"case\", \"result\", \"detail\"} after it.\n\n"
              "  %-16s name the cases\n  %-16s cases whose name has a match\n"
              "  %-16s exactly these, a name a line; - is standard input\n",
              program.name.c_str(), program.purpose.c_str(), "--list", "--filter REGEX", "--cases FILE");
  for (const LineOption& each : program.options) {
    const std::string head = each.value.empty() ? each.name : each.name + " " + each.value;
    std::printf("  %-16s %s\n", head.c_str(), each.help.c_str());
  }
  std::puts("\nExit codes: 0 passed or skipped, 1 failed, 2 wrong usage, 3 the device is broken, 77 nothing can run here.");
}

inline CaseResult result_of(const LineCase& one, JsonLines& lines) {
  try {
    return one.run(lines);
  } catch (const std::exception& error) {
    return {CaseResult::failed, error.what()};
  }
}

}  // namespace json_lines

inline int run_line_program(int argc, char** argv, const LineProgram& program) {
  std::vector<LineCase> cases;
  JsonLines lines;
  try {
    const json_lines::Arguments arguments = json_lines::read(argc, argv, program);
    if (arguments.help) {
      json_lines::print_help(program);
      return 0;
    }
    cases = json_lines::chosen(arguments, program.cases());
    if (arguments.list) {
      for (const LineCase& each : cases) std::puts(each.name.c_str());
      return 0;
    }
  } catch (const json_lines::UsageError& error) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), error.what());
    return 2;
  }
  if (const std::string why = program.why_skipped(); !why.empty()) {
    lines.end("all", {CaseResult::skipped, why});
    return 77;
  }
  for (const LineCase& one : cases) {
    lines.begin(one.name);
    CaseResult result = json_lines::result_of(one, lines);
    if (const std::string why = program.why_broken(); !why.empty()) {
      result.kind = CaseResult::failed;
      result.detail += (result.detail.empty() ? "" : "; ") + ("the device is broken: " + why);
      result.more.add_true("broken");
      lines.end(one.name, result);
      std::_Exit(3);  // destructors of what is on the device could wait for it for ever
    }
    lines.end(one.name, result);
  }
  return lines.failed() ? 1 : 0;
}

}  // namespace sluice::test
