#include "bench/suites/choice.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>

#include "bench/suites/shape.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"

namespace sluice::bench {
namespace {

std::vector<std::string> chosen_suites(const Options& options) {
  std::vector<std::string> suites = options.suites;
  const bool named = std::find(suites.begin(), suites.end(), kShapeSuite) != suites.end();
  if (!options.shapes.empty() && !named) suites.push_back(kShapeSuite);
  return suites.empty() ? suite_names() : suites;
}

// A name a line; empty lines and repetitions are left out.
std::vector<std::string> names_in(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    require(static_cast<bool>(file), "--cases: cannot read " + path);
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

std::vector<Case> named_cases(const std::string& path, std::vector<Case> cases) {
  std::vector<Case> named;
  for (const std::string& name : names_in(path)) {
    const auto found = std::find_if(cases.begin(), cases.end(),
                                    [&](const Case& each) { return each.name() == name; });
    require(found != cases.end(),
            "--cases: no case is called '" + name +
                "'; see --list with the same --suite, --small, --dtype and --device");
    named.push_back(*found);
  }
  return named;
}

}  // namespace

DeviceKind wanted_kind(const Options& options) {
  const bool cuda = options.device == "auto" ? cuda_devices().problem.empty()
                                             : options.device.rfind("cuda", 0) == 0;
  return cuda ? DeviceKind::cuda : DeviceKind::cpu;
}

std::vector<Case> chosen_cases(const Options& options, DeviceKind device) {
  std::regex filter;
  try {
    filter = std::regex(options.filter);
  } catch (const std::regex_error&) {
    throw Error::usage("--filter: '" + options.filter + "' is no regular expression");
  }
  std::vector<Case> all;
  for (const std::string& suite : chosen_suites(options)) {
    for (Case& each : cases_of(suite, options, device)) all.push_back(std::move(each));
  }
  if (!options.cases.empty()) all = named_cases(options.cases, std::move(all));
  std::vector<Case> chosen;
  for (Case& each : all) {
    if (std::regex_search(each.name(), filter)) chosen.push_back(std::move(each));
  }
  require(!chosen.empty(), "no case is left of --suite, --filter and --cases; see --list");
  return chosen;
}

}  // namespace sluice::bench
