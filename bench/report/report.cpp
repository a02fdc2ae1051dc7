#include "bench/report/report.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "bench/measure/statistics.h"
#include "host/checkpoint/atomic_file.h"
#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

using nlohmann::ordered_json;

constexpr double kMicroseconds = 1e6;

// The case of a benchmark: its name without the implementation, in which there is no "/".
std::string case_of(const ordered_json& benchmark) {
  const std::string name = benchmark.value("run_name", benchmark.value("name", ""));
  return name.substr(0, name.rfind('/'));
}

// RFC 4180.
std::string csv_cell(const ordered_json& value) {
  if (value.is_null()) return "";
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

Report::Report(ordered_json context) {
  document_["context"] = std::move(context);
  document_["benchmarks"] = ordered_json::array();
}

Report Report::read(const std::vector<std::string>& paths) {
  Report merged{ordered_json::object()};
  for (const std::string& path : paths) {
    std::ifstream file(path);
    require(static_cast<bool>(file), "cannot read the result file " + path);
    const ordered_json document = ordered_json::parse(file, nullptr, false);
    require(document.is_object() && document.contains("context") &&
                document.value("benchmarks", ordered_json()).is_array(),
            path + " is not a result file: expected a JSON object with context and benchmarks");
    if (merged.context().empty()) {
      merged.context() = document["context"];
    } else {
      const ordered_json peers = document["context"].value("peers", ordered_json::object());
      for (const auto& [name, version] : peers.items()) {
        merged.context()["peers"][name] = version;
      }
    }
    for (const ordered_json& each : document["benchmarks"])
      merged.document_["benchmarks"].push_back(each);
  }
  return merged;
}

void Report::begin_with(const Report& old, const std::string& path) {
  const ordered_json& before = old.document_["context"];
  for (const char* key : {"machine", "device"}) {
    const ordered_json was = before.value(key, ordered_json()),
                       is = context().value(key, ordered_json());
    require(was == is, std::string("--append: ") + path + " holds results of " + key + " " +
                           was.dump() + ", this is " + is.dump() + "; name another --out");
  }
  const ordered_json peers = before.value("peers", ordered_json::object());
  for (const auto& [name, version] : peers.items()) {
    if (!context()["peers"].contains(name)) context()["peers"][name] = version;
  }
  document_["benchmarks"] = old.document_["benchmarks"];
  for (const ordered_json& each : document_["benchmarks"]) {
    old_cases_.insert(case_of(each));
    family_ = std::max(family_, each.value("family_index", -1));
  }
}

void Report::begin_entry(const Entry& entry) {
  if (old_cases_.erase(entry.case_name()) > 0) {
    ordered_json kept = ordered_json::array();
    for (ordered_json& each : document_["benchmarks"]) {
      if (case_of(each) != entry.case_name()) kept.push_back(std::move(each));
    }
    document_["benchmarks"] = std::move(kept);
  }
  const bool same_family = entry.case_name() == last_case_;
  family_ += same_family ? 0 : 1;
  instance_ = same_family ? instance_ + 1 : 0;
  last_case_ = entry.case_name();
}

ordered_json Report::common(const Entry& entry, const char* run_type, int repetitions) {
  return {{"name", entry.name()},
          {"family_index", family_},
          {"per_family_instance_index", instance_},
          {"run_name", entry.name()},
          {"run_type", run_type},
          {"repetitions", repetitions},
          {"threads", 1}};
}

void Report::add(const Entry& entry, const Samples& samples) {
  begin_entry(entry);
  ordered_json& benchmarks = document_["benchmarks"];
  const auto repetitions = static_cast<int>(samples.real.size());
  for (int i = 0; i < repetitions; ++i) {
    ordered_json each = common(entry, "iteration", repetitions);
    each["repetition_index"] = i;
    each["iterations"] = samples.iterations;
    each["real_time"] = samples.real[i] * kMicroseconds;
    each["cpu_time"] = samples.cpu[i] * kMicroseconds;
    each["time_unit"] = "us";
    benchmarks.push_back(each);
  }
  const Statistics real = statistics(samples.real), cpu = statistics(samples.cpu);
  const auto aggregate = [&](const char* name, double real_value, double cpu_value, bool is_time) {
    ordered_json each = common(entry, "aggregate", repetitions);
    each["name"] = entry.name() + "_" + name;
    each["aggregate_name"] = name;
    each["aggregate_unit"] = is_time ? "time" : "percentage";
    each["iterations"] = repetitions;
    each["real_time"] = real_value * (is_time ? kMicroseconds : 1.0);
    each["cpu_time"] = cpu_value * (is_time ? kMicroseconds : 1.0);
    each["time_unit"] = "us";
    if (std::string(name) == "median") {
      each["suite"] = entry.suite;
      each["case"] = entry.case_name();
      each["implementation"] = entry.implementation;
      each["p10"] = real.p10 * kMicroseconds;
      each["p90"] = real.p90 * kMicroseconds;
      each.update(entry.fields);
    }
    benchmarks.push_back(each);
  };
  aggregate("mean", real.mean, cpu.mean, true);
  aggregate("median", real.median, cpu.median, true);
  aggregate("stddev", real.stddev, cpu.stddev, true);
  aggregate("cv", real.cv, cpu.cv, false);
  aggregate("p10", real.p10, cpu.p10, true);
  aggregate("p90", real.p90, cpu.p90, true);
}

void Report::add_error(const Entry& entry, const std::string& message) {
  begin_entry(entry);
  ordered_json each = common(entry, "iteration", 1);
  each["repetition_index"] = 0;
  each["error_occurred"] = true;
  each["error_message"] = message;
  each["iterations"] = 0;
  each["real_time"] = 0.0;
  each["cpu_time"] = 0.0;
  each["time_unit"] = "us";
  each["suite"] = entry.suite;
  each["case"] = entry.case_name();
  each["implementation"] = entry.implementation;
  each.update(entry.fields);
  document_["benchmarks"].push_back(each);
}

std::vector<ordered_json> Report::summaries() const {
  std::vector<ordered_json> found;
  for (const ordered_json& each : document_["benchmarks"]) {
    if (!each.contains("case")) continue;
    if (each.value("aggregate_name", "") == "median" || each.value("error_occurred", false)) {
      found.push_back(each);
    }
  }
  return found;
}

void Report::write_json(const std::string& path) const {
  // A message may hold bytes that are no text.
  replace_file(path, {document_.dump(1, ' ', false, ordered_json::error_handler_t::replace), "\n"});
}

void Report::write_csv(const std::string& path) const {
  const std::vector<ordered_json> rows = summaries();
  std::vector<std::string> columns;
  for (const ordered_json& row : rows) {
    for (const auto& [key, value] : row.items()) {
      if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
    }
  }
  std::ostringstream file;
  for (std::size_t i = 0; i < columns.size(); ++i) file << (i == 0 ? "" : ",") << columns[i];
  file << "\n";
  for (const ordered_json& row : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      file << (i == 0 ? "" : ",") << csv_cell(row.value(columns[i], ordered_json()));
    }
    file << "\n";
  }
  replace_file(path, {file.str()});
}

}  // namespace sluice::bench
