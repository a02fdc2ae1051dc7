// DeepBench's recurrent problems (github.com/baidu-research/DeepBench: rnn_problems.h), input size
// = hidden size; its vanilla network is the ReLU one. With --small: a grid of sizes that a CPU of
// few cores runs, with tanh as the vanilla network.
#include <initializer_list>

#include "bench/suites/suites.h"

namespace sluice::bench {
namespace {

using Sizes = std::initializer_list<int>;

class Problems {
 public:
  Problems(const Options& options, bool training) : options_(options), training_(training) {}

  void add(Cell cell, Sizes hidden, Sizes batches, Sizes steps) {
    for (const int h : hidden) {
      for (const int b : batches) {
        for (const int t : steps) {
          LayerProblem problem;
          problem.config = {.cell = cell,
                            .data_type = options_.data_type,
                            .math = options_.math,
                            .input_size = h,
                            .hidden_size = h};
          problem.steps = t;
          problem.batch = b;
          problem.training = training_;
          found.push_back(problem);
        }
      }
    }
  }

  std::vector<LayerProblem> found;

 private:
  const Options& options_;
  bool training_;
};

std::vector<LayerProblem> large_training_problems(const Options& options) {
  Problems all(options, true);
  all.add(Cell::rnn_relu, {1760, 2048, 2560}, {16, 32, 64, 128}, {50});
  all.add(Cell::lstm, {512, 1024, 2048, 4096}, {16, 32, 64, 128}, {25});
  all.add(Cell::lstm, {1536}, {8, 16, 32}, {50});
  all.add(Cell::lstm, {256}, {16, 32, 64}, {150});
  all.add(Cell::gru, {2816, 2560, 2048, 1536}, {32}, {1500, 750, 375, 187});
  all.add(Cell::gru, {512}, {32}, {1});
  all.add(Cell::gru, {1024}, {32, 64}, {1500});
  return all.found;
}

std::vector<LayerProblem> inference_problems(const Options& options) {
  const Sizes batches{1, 2, 4};
  Problems all(options, false);
  all.add(Cell::lstm, {512, 1024, 2048}, batches, {25});
  all.add(Cell::lstm, {1536}, batches, {50});
  all.add(Cell::lstm, {256}, batches, {150});
  all.add(Cell::gru, {2816, 2560, 2048, 1536}, batches, {1500, 750, 375, 187});
  all.add(Cell::gru, {512}, batches, {1});
  all.add(Cell::gru, {1024}, batches, {1500});
  return all.found;
}

std::vector<LayerProblem> small_problems(const Options& options, bool training) {
  Problems all(options, training);
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
    all.add(cell, {64, 128, 256, 512}, {1, 16, 64}, {100});
  }
  return all.found;
}

}  // namespace

std::vector<LayerProblem> deepbench_training_problems(const Options& options) {
  return options.small ? small_problems(options, true) : large_training_problems(options);
}

std::vector<Case> deepbench_cases(const Options& options, bool training) {
  const std::vector<LayerProblem> problems = training        ? deepbench_training_problems(options)
                                             : options.small ? small_problems(options, false)
                                                             : inference_problems(options);
  std::vector<Case> cases;
  const std::string suite = training ? "deepbench-train" : "deepbench-infer";
  for (const LayerProblem& problem : problems) {
    cases.push_back({suite, problem.name(), [suite, problem](Session& session) {
                       session.measure_layer(
                           {.suite = suite, .problem = problem, .with_input_product = true});
                     }});
  }
  return cases;
}

}  // namespace sluice::bench
