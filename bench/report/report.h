// The results as one document in Google Benchmark's JSON schema.
//
// A benchmark is called <suite>/<problem>/<implementation>. Each repetition is an entry of run_type
// "iteration"; aggregates mean, median, stddev, cv, p10 and p90 follow. The median's entry also
// carries what Sluice says of it: suite, case (the name without the implementation),
// implementation, shape, rates, limits. What could not be measured is an entry with error_occurred.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "bench/measure/sampling.h"

namespace sluice::bench {

/// Which benchmark, and what else is known of it.
struct Entry {
  std::string suite, problem, implementation;
  nlohmann::ordered_json fields = nlohmann::ordered_json::object();

  std::string case_name() const { return suite + "/" + problem; }
  std::string name() const { return case_name() + "/" + implementation; }
};

class Report {
 public:
  explicit Report(nlohmann::ordered_json context);

  /// Reads result files, also pytorch_peer.py's, into one: the first one's context, all benchmarks.
  /// Errors: usage if one cannot be read or is no such document.
  static Report read(const std::vector<std::string>& paths);

  /// Takes over what `old` holds; a case that is measured again replaces all of its entries.
  /// Errors: usage if `old`, read from `path`, is of another machine or device.
  void begin_with(const Report& old, const std::string& path);

  void add(const Entry& entry, const Samples& samples);
  void add_error(const Entry& entry, const std::string& message);

  nlohmann::ordered_json& context() { return document_["context"]; }
  const nlohmann::ordered_json& document() const { return document_; }

  /// The medians' and the errors' entries.
  std::vector<nlohmann::ordered_json> summaries() const;

  /// Replaces the file whole or, with an error, not at all.
  /// Errors: runtime if the file cannot be written.
  void write_json(const std::string& path) const;
  void write_csv(const std::string& path) const;

 private:
  // Before an entry: makes room for it if its case is an old one, and numbers it.
  void begin_entry(const Entry& entry);
  nlohmann::ordered_json common(const Entry& entry, const char* run_type, int repetitions);

  nlohmann::ordered_json document_;
  std::set<std::string> old_cases_;  // not yet measured again
  std::string last_case_;
  int family_ = -1, instance_ = 0;
};

}  // namespace sluice::bench
