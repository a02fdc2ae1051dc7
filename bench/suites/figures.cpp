// The figures that Sluice's own kernels are to reach on a GPU: each case belongs to one, with
// numbers of the type that the figure asks for (--dtype is not read) and cuDNN left out of the
// engine's choice. On a CPU, which has no TF32, float32 stands in for it. With --small: a shape or
// two of each, to see that all of it runs.
#include "bench/report/figures.h"

#include <algorithm>
#include <map>
#include <optional>

#include "bench/layers/reference_shapes.h"
#include "bench/peers/cudnn_layer.h"
#include "bench/suites/suites.h"

namespace sluice::bench {
namespace {

struct Numbers {
  DataType type = DataType::float32;
  MatrixMath math = MatrixMath::ieee;
};
constexpr Numbers kBfloat16{DataType::bfloat16}, kFloat16{DataType::float16};
constexpr Numbers kTf32{DataType::float32, MatrixMath::tf32};

using Sizes = std::vector<std::int32_t>;

class Figures {
 public:
  Figures(const Options& options, DeviceKind device) : options_(options), device_(device) {}

  LayerProblem layer(Cell cell, Numbers numbers, const ReferenceShape& shape, bool training) const {
    LayerProblem problem;
    problem.config = {.cell = cell,
                      .data_type = numbers.type,
                      .math = device_ == DeviceKind::cpu ? MatrixMath::ieee : numbers.math,
                      .input_size = shape.input,
                      .hidden_size = shape.hidden};
    problem.steps = shape.steps;
    problem.batch = shape.batch;
    problem.training = training;
    return problem;
  }

  // A case of `folder`, once; Sluice's own kernels count for `figure`, and `others` take part as
  // peers, for figures of their own if they have any.
  void add(const std::string& folder, const LayerProblem& problem, const Figure& figure,
           const std::map<std::string, std::optional<Figure>>& others = {}) {
    LayerMeasurement wanted{"figures", problem, folder + "/"};
    const std::string name = wanted.group + problem.name();
    const auto same = [&](const Case& each) { return each.problem == name; };
    if (std::any_of(cases.begin(), cases.end(), same)) return;  // small shapes may coincide
    wanted.peers = {"sluice:" + (options_.algorithm.empty() ? "own" : options_.algorithm)};
    wanted.fields["sluice"] = figure.fields();
    for (const auto& [peer, other] : others) {
      wanted.peers.push_back(peer);
      if (other) wanted.fields[peer] = other->fields();
    }
    for (const std::string& opponent : figure.opponents) {
      if (opponent.rfind("cudnn:", 0) == 0) wanted.peers.push_back(opponent);
    }
    wanted.with_digest = figure.opponents.front() == "pytorch";
    cases.push_back(
        {"figures", name, [wanted](Session& session) { session.measure_layer(wanted); }});
  }

  void add_step(const StepProblem& problem, const Figure& figure) {
    cases.push_back({"figures", "step/" + problem.name(), [problem, figure](Session& session) {
                       measure_training_step(session, "figures", "step/", problem, figure.fields());
                     }});
  }

  bool small() const { return options_.small; }
  DeviceKind device() const { return device_; }

  std::vector<Case> cases;

 private:
  const Options& options_;
  DeviceKind device_;
};

std::vector<std::string> every_cudnn() {
  std::vector<std::string> names;
  for (const std::string& algorithm : cudnn_algorithms()) names.push_back("cudnn:" + algorithm);
  return names;
}

void add_pytorch(Figures& all) {
  const Figure figure{"PyTorch, same type", {"pytorch"}, 3, 6};
  const std::int32_t steps = all.small() ? 10 : 100;
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const std::int32_t hidden : all.small() ? Sizes{32} : Sizes{256, 512, 1024}) {
      for (const std::int32_t batch : all.small() ? Sizes{8} : Sizes{16, 64, 128}) {
        for (const Numbers numbers : {kBfloat16, kTf32}) {
          all.add("pytorch", all.layer(cell, numbers, {cell, steps, batch, hidden, hidden}, true),
                  figure);
        }
      }
    }
  }
}

void add_packed(Figures& all) {
  const Figure figure{"PyTorch packed sequences, IMDB's lengths", {"pytorch"}, 8, 30};
  const std::int32_t batch = all.small() ? 8 : 256, shortening = all.small() ? 20 : 1;
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const std::int32_t hidden : all.small() ? Sizes{16} : Sizes{64, 256}) {
      for (const Numbers numbers : {kBfloat16, kTf32}) {
        LayerProblem problem =
            all.layer(cell, numbers, {cell, 400 / shortening, batch, 2 * hidden, hidden}, true);
        for (std::int32_t row = 0; row < batch; ++row) {
          problem.lengths.push_back(review_length(row, 400) / shortening);
        }
        problem.steps = *std::max_element(problem.lengths.begin(), problem.lengths.end());
        all.add("packed", problem, figure);
      }
    }
  }
}

// What cuDNN's documentation says of its persistent algorithm: LSTM and vanilla in float16, one
// layer and direction, sizes that are multiples of 128, B a multiple of 8 up to 128.
void add_persistent(Figures& all) {
  const Figure figure{"cuDNN's best, float16, shapes of its persistent algorithm", every_cudnn(),
                      1.2, 1.8};
  const auto add = [&](Cell cell, std::int32_t steps, std::int32_t batch, std::int32_t hidden) {
    all.add("cudnn-persistent",
            all.layer(cell, kFloat16, {cell, steps, batch, hidden, hidden}, true), figure);
  };
  if (all.small()) return add(Cell::lstm, 5, 8, 128);
  for (const std::int32_t hidden : {256, 512, 1024}) {
    for (const std::int32_t batch : {16, 64, 128}) add(Cell::lstm, 100, batch, hidden);
    add(Cell::rnn_tanh, 100, 64, hidden);
  }
  add(Cell::lstm, 1024, 16, 768);  // FlashRNN's
}

void add_small_hidden(Figures& all) {
  const Figure figure{"cuDNN's small-hidden algorithm", {"cudnn:persist_static_small_h"}, 1.3, 2.5};
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const std::int32_t hidden : all.small() ? Sizes{16} : Sizes{64, 128}) {
      for (const std::int32_t batch : all.small() ? Sizes{8} : Sizes{64, 256}) {
        for (const Numbers numbers : {kFloat16, kTf32}) {
          all.add(
              "cudnn-small-hidden",
              all.layer(cell, numbers, {cell, all.small() ? 10 : 400, batch, 128, hidden}, true),
              figure);
        }
      }
    }
  }
}

void add_large(Figures& all) {
  const Figure figure{"cuDNN's best, H from 2048, B from 64", every_cudnn(), 0.95, 1.3};
  const auto add = [&](Cell cell, std::int32_t steps, std::int32_t batch, std::int32_t hidden) {
    for (const Numbers numbers : {kFloat16, kTf32}) {
      all.add("large", all.layer(cell, numbers, {cell, steps, batch, hidden, hidden}, true),
              figure);
    }
  };
  if (all.small()) return add(Cell::lstm, 2, 4, 256);
  for (const std::int32_t batch : {64, 128}) {
    for (const std::int32_t hidden : {2048, 4096}) add(Cell::lstm, 25, batch, hidden);
    add(Cell::gru, 50, batch, 2048);
    add(Cell::rnn_relu, 50, batch, 2560);
  }
}

// Forward alone, and both passes: bench/predictions.md takes the difference for the backward pass.
// Stepwise runs too, since outputs want something to be compared with.
void add_limit(Figures& all) {
  const Figure figure{"the limit, shapes of the cluster and block algorithms", {"limit"}, 2.5, 1.6};
  for (ReferenceShape shape : reference_shapes) {
    if (all.small()) {
      shape = {shape.cell, 5, 8, shape.input / 16, shape.hidden / 16};
      if (shape.hidden > 64) continue;
    }
    for (const Numbers numbers : {kBfloat16, kTf32}) {
      all.add("limit/forward", all.layer(shape.cell, numbers, shape, false), figure,
              {{"sluice:stepwise", std::nullopt}});
      all.add("limit/training", all.layer(shape.cell, numbers, shape, true), figure,
              {{"sluice:stepwise", std::nullopt}});
    }
  }
}

void add_steps(Figures& all) {
  const Figure figure{"whole training step of the IMDB recipe, PyTorch eager", {"pytorch"}, 3, 6};
  for (const MatrixMath math : {MatrixMath::ieee, MatrixMath::tf32}) {
    if (math == MatrixMath::tf32 && all.device() == DeviceKind::cpu) continue;
    StepProblem recipe = recipe_step(), keras;
    recipe.math = keras.math = math;
    if (all.small()) {
      recipe.batches = keras.batches = 1;
      recipe.longest = 400;
    }
    all.add_step(recipe, figure);
    all.add_step(keras, figure);
  }
}

// Of the engine's choice with cuDNN in it none may lose; of our own kernels mean and worst are
// stated.
void add_deepbench(Figures& all, const Options& options) {
  const Figure own{"DeepBench's training shapes, own kernels, cuDNN's best, float16",
                   every_cudnn()};
  const Figure automatic{"DeepBench's training shapes, cuDNN among the algorithms, float16",
                         every_cudnn(), 1.0, 0, true};
  std::size_t count = 0;
  for (LayerProblem problem : deepbench_training_problems(options)) {
    problem.config.data_type = DataType::float16;
    problem.config.math = MatrixMath::ieee;
    if (all.small()) problem.steps = 2;
    all.add("deepbench", problem, own, {{"sluice:automatic", automatic}});
    if (all.small() && ++count == 2) break;
  }
}

}  // namespace

std::vector<Case> figure_cases(const Options& options, DeviceKind device) {
  Figures all(options, device);
  add_pytorch(all);
  add_packed(all);
  add_persistent(all);
  add_small_hidden(all);
  add_large(all);
  add_limit(all);
  add_steps(all);
  add_deepbench(all, options);
  return std::move(all.cases);
}

}  // namespace sluice::bench
