// The protocol of the programs that a run on a GPU starts beside the tests: named cases, chosen on
// the command line, and a JSON object a line about each, written and flushed as it comes.
//
//   --list           the cases' names, a line each; needs no GPU
//   --filter REGEX   cases whose name has a match (ECMAScript)
//   --cases FILE     exactly these, a name a line, in the file's order; "-" is standard input
//   --help           what the program does and its own options
//
// Before a case {"begin": "<name>"}; after it {"case": "<name>", "result": "passed", "failed" or
// "skipped", "detail": "...", more, "end": true}. Between the two a case may write lines of its
// own, called <name>/..., without "end". After an error that the device does not get over, the
// case's last line says "broken": true and the program ends at once, so that whoever runs it can
// start another with the rest. Exit codes: 0 all passed or were skipped; 1 something failed; 2
// wrong usage; 3 the device is broken; 77 none of it can run here, with the reason as the one line
// of a case called "all".
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace sluice::test {

/// `text` as a JSON string of ASCII: control characters become escapes, what is beyond ASCII a "?".
std::string json_text(const std::string& text);

/// Members of a JSON object in the order in which they were added.
class JsonFields {
 public:
  JsonFields& add(const std::string& key, double value);  ///< null where it is not finite
  JsonFields& add(const std::string& key, const std::string& value) {
    return add_text(key, json_text(value));
  }
  JsonFields& add(const std::string& key, const char* value) {
    return add(key, std::string(value));
  }
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
  void begin(const std::string& name);

  /// A line of a part of the case that is under way; `name` starts with the case's.
  void write(const std::string& name, const CaseResult& result) { write(name, result, false); }

  /// The case's last line.
  void end(const std::string& name, const CaseResult& result) { write(name, result, true); }

  bool failed() const { return failed_; }

 private:
  void write(const std::string& name, const CaseResult& result, bool last);

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
int run_line_program(int argc, char** argv, const LineProgram& program);

}  // namespace sluice::test
