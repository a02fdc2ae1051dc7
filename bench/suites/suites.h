// The suites: each is a list of cases that measure themselves.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/layers/training_step.h"
#include "bench/session.h"

namespace sluice::bench {

struct Case {
  std::string suite, problem;  ///< its name is suite/problem
  std::function<void(Session&)> run;

  std::string name() const { return suite + "/" + problem; }
};

/// All but `shape`, whose cases the command line names.
const std::vector<std::string>& suite_names();

/// Of one suite, in the order in which they run. `device`: which kind they will run on.
std::vector<Case> cases_of(const std::string& suite, const Options& options, DeviceKind device);

std::vector<Case> deepbench_cases(const Options& options, bool training);
std::vector<Case> imdb_cases(const Options& options);
std::vector<Case> feature_cases(const Options& options);
std::vector<Case> kernel_cases(const Options& options, DeviceKind device);
std::vector<Case> scaling_cases(const Options& options);
std::vector<Case> memory_cases(const Options& options);

/// `deepbench_cases`' problems of the training suite, with numbers of this type.
std::vector<LayerProblem> deepbench_training_problems(const Options& options);
std::vector<Case> figure_cases(const Options& options, DeviceKind device);

/// A whole training step as <suite>/<group><problem>, with `fields` added to its entry.
void measure_training_step(Session& session, const std::string& suite, const std::string& group,
                           const StepProblem& problem, const nlohmann::ordered_json& fields);

/// Training steps by vocabulary size: a case of scaling that is made of imdb's.
void measure_vocabularies(Session& session);

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

}  // namespace sluice::bench
