// The suites: each is a list of cases that measure themselves.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/session.h"

namespace sluice::bench {

struct Case {
  std::string suite, problem;  ///< its name is suite/problem
  std::function<void(Session&)> run;

  std::string name() const { return suite + "/" + problem; }
};

const std::vector<std::string>& suite_names();

/// Of one suite, in the order in which they run. `device`: which kind they will run on.
std::vector<Case> cases_of(const std::string& suite, const Options& options, DeviceKind device);

std::vector<Case> deepbench_cases(const Options& options, bool training);

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

}  // namespace sluice::bench
