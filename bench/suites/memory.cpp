// Memory held for a training pass against T: the layer's workspace, what it keeps for the backward
// pass, outputs and gradients; x and dy, which are everybody's, are left out.
#include "bench/suites/suites.h"

namespace sluice::bench {

std::vector<Case> memory_cases(const Options& options) {
  const std::int64_t size = options.small ? 128 : 512;
  std::vector<Case> cases;
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const std::int32_t steps : {50, 100, 200, 400, 800}) {
      LayerProblem problem;
      problem.config = {.cell = cell,
                        .data_type = options.data_type,
                        .math = options.math,
                        .input_size = size,
                        .hidden_size = size};
      problem.steps = steps;
      problem.batch = 16;
      problem.training = true;
      cases.push_back({"memory", problem.name(), [problem](Session& session) {
                         session.measure_layer({.suite = "memory", .problem = problem});
                       }});
    }
  }
  return cases;
}

}  // namespace sluice::bench
