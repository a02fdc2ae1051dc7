#include "tests/gpu/programs/json_lines.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <stdexcept>
#include <utility>

namespace sluice::test {
namespace {

void print(const JsonFields& a, const JsonFields& b = {}, const JsonFields& c = {}) {
  std::string text = a.members();
  for (const JsonFields* each : {&b, &c}) {
    if (!each->members().empty()) text += ", " + each->members();
  }
  std::printf("{%s}\n", text.c_str());
  std::fflush(stdout);
}

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Arguments {
  bool list = false, help = false;
  std::string filter, cases;
};

Arguments read(int argc, char** argv, const LineProgram& program) {
  Arguments arguments;
  const std::vector<std::string> given(argv + 1, argv + argc);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& name = given[i];
    const auto value = [&]() -> const std::string& {
      if (++i == given.size())
        throw UsageError(name + ": expected a value after it, got the end of the command line");
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
std::vector<std::string> names_in(const std::string& path) {
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

std::vector<LineCase> chosen(const Arguments& arguments, std::vector<LineCase> cases) {
  if (!arguments.cases.empty()) {
    std::vector<LineCase> named;
    for (const std::string& name : names_in(arguments.cases)) {
      const LineCase* found = nullptr;
      for (const LineCase& each : cases) found = each.name == name ? &each : found;
      if (found == nullptr)
        throw UsageError("--cases: no case is called '" + name + "'; see --list");
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

void print_help(const LineProgram& program) {
  std::printf(
      "%s: %s\n\nA JSON object a line: {\"begin\"} before a case, {\"case\", \"result\", "
      "\"detail\"} after it.\n\n"
      "  %-16s name the cases\n  %-16s cases whose name has a match\n"
      "  %-16s exactly these, a name a line; - is standard input\n",
      program.name.c_str(), program.purpose.c_str(), "--list", "--filter REGEX", "--cases FILE");
  for (const LineOption& each : program.options) {
    const std::string head = each.value.empty() ? each.name : each.name + " " + each.value;
    std::printf("  %-16s %s\n", head.c_str(), each.help.c_str());
  }
  std::puts(
      "\nExit codes: 0 passed or skipped, 1 failed, 2 wrong usage, 3 the device is broken, 77 "
      "nothing can run here.");
}

CaseResult result_of(const LineCase& one, JsonLines& lines) {
  try {
    return one.run(lines);
  } catch (const std::exception& error) {
    return {CaseResult::failed, error.what()};
  }
}

}  // namespace

std::string json_text(const std::string& text) {
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

JsonFields& JsonFields::add(const std::string& key, double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return add_text(key, std::isfinite(value) ? text : "null");
}

void JsonLines::begin(const std::string& name) { print(JsonFields().add("begin", name)); }

void JsonLines::write(const std::string& name, const CaseResult& result, bool last) {
  constexpr const char* kinds[] = {"passed", "failed", "skipped"};
  JsonFields line;
  line.add("case", name).add("result", kinds[result.kind]).add("detail", result.detail);
  failed_ = failed_ || result.kind == CaseResult::failed;
  JsonFields tail;
  if (last) tail.add_true("end");
  print(line, result.more, tail);
}

int run_line_program(int argc, char** argv, const LineProgram& program) {
  std::vector<LineCase> cases;
  JsonLines lines;
  try {
    const Arguments arguments = read(argc, argv, program);
    if (arguments.help) {
      print_help(program);
      return 0;
    }
    cases = chosen(arguments, program.cases());
    if (arguments.list) {
      for (const LineCase& each : cases) std::puts(each.name.c_str());
      return 0;
    }
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), error.what());
    return 2;
  }
  if (const std::string why = program.why_skipped(); !why.empty()) {
    lines.end("all", {CaseResult::skipped, why});
    return 77;
  }
  for (const LineCase& one : cases) {
    lines.begin(one.name);
    CaseResult result = result_of(one, lines);
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
