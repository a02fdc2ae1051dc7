// tanh and sigmoid in float32 as the cells compute them: how far from the exact values, in units in
// the last place (ulp), and what they do where they saturate. A sample of float32 by default;
//   SLUICE_EVERY_FLOAT=1 build/bin/kernels_activation_test
// takes all 2^32 numbers, in 60 to 90 s of a processor for each instruction set. On CUDA
// always the sample.
#include "kernels/base/activation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/time_loops/cell_step.h"
#include "kernels/time_loops/cell_step_simd.h"
#include "tests/kernels/base/float_functions.h"
#include "tests/kernels/device_fixture.h"
#include "tests/kernels/instruction_sets.h"
#include "tests/sanitized.h"

namespace sluice::test {
namespace {

// The largest errors that kernels/simd/activation.h and kernels/base/activation.h state, in ulp.
struct Bounds {
  double tanh, sigmoid;
  bool flushes;  // denormals count as zero
};
constexpr Bounds kCudaBounds{2.5, 5.5, false};
constexpr Bounds bounds_of([[maybe_unused]] InstructionSet set) {
#ifdef SLUICE_X86_64
  if (set == InstructionSet::baseline) return {6.7, 2.5, true};
  if (set == InstructionSet::avx512) return {5.3, 2.5, true};
#endif
  return {5.0, 2.5, true};
}

using Forward = std::function<void(const CellStepForwardArgs&)>;
using Backward = std::function<void(const CellStepBackwardArgs&)>;

// The functions of many numbers: a GRU's gates r and n, where q is 0.
struct Values {
  std::vector<float> tanh, sigmoid;
};
class Evaluation {
 public:
  Evaluation(const Queue& queue, Forward forward, std::size_t count)
      : queue_(queue),
        forward_(std::move(forward)),
        gates_(4 * count),
        gate_memory_(queue, gates_.size() * sizeof(float)),
        h_memory_(queue, std::vector<float>(count)) {}

  void run(const std::vector<float>& x, Values& values) {
    const std::size_t count = x.size();
    std::fill(gates_.begin(), gates_.end(), 0.0f);
    std::copy(x.begin(), x.end(), gates_.begin());
    std::copy(x.begin(), x.end(), gates_.begin() + static_cast<std::ptrdiff_t>(2 * count));
    upload(queue_, gate_memory_.data(), gates_.data(), gates_.size() * sizeof(float));
    forward_({.cell = Cell::gru,
              .rows = 1,
              .batch = 1,
              .hidden_size = static_cast<std::int64_t>(count),
              .gates = gate_memory_.data(),
              .h_state = h_memory_.data()});
    download(queue_, gates_.data(), gate_memory_.data(), gates_.size() * sizeof(float));
    synchronize(queue_);
    values.sigmoid.assign(gates_.begin(), gates_.begin() + static_cast<std::ptrdiff_t>(count));
    values.tanh.assign(gates_.begin() + static_cast<std::ptrdiff_t>(2 * count),
                       gates_.begin() + static_cast<std::ptrdiff_t>(3 * count));
  }

 private:
  const Queue& queue_;
  Forward forward_;
  std::vector<float> gates_;
  GuardedBuffer gate_memory_, h_memory_;
};

struct Errors {
  double tanh = 0.0, sigmoid = 0.0;
  float tanh_at = 0.0f, sigmoid_at = 0.0f;

  void add_tanh(float x, double error) {
    if (error > tanh) tanh = error, tanh_at = x;
  }
  void add_sigmoid(float x, double error) {
    if (error > sigmoid) sigmoid = error, sigmoid_at = x;
  }
};

// Everything that is asked of the functions at x >= 0 and at -x; the first failure ends the test.
void expect_right(float x, const Bounds& bounds, const Values& above, const Values& below,
                  std::size_t i, Errors& errors) {
  const float t = above.tanh[i], s = above.sigmoid[i], minus_s = below.sigmoid[i];
  if (std::isnan(x)) {
    ASSERT_TRUE(std::isnan(t) && std::isnan(s)) << "NaN was lost";
    return;
  }
  const bool vanishes = bounds.flushes && x < kLeastNormal;
  const Exact exact(vanishes ? 0.0 : double{x});
  ASSERT_EQ(below.tanh[i], -t) << "not odd at " << x;
  ASSERT_LE(t, 1.0f) << "at " << x;
  ASSERT_LE(s, 1.0f) << "at " << x;
  ASSERT_GE(minus_s, 0.0f) << "at " << x;
  // At the border to the denormals an error decides what is flushed.
  const bool flushed = bounds.flushes && exact.tanh < 1.00001 * double{kLeastNormal} && t == 0.0f;
  if (!flushed) errors.add_tanh(x, ulps(t, exact.tanh));
  errors.add_sigmoid(x, ulps(s, exact.sigmoid));
  const bool vanished =
      minus_s == 0.0f &&
      (bounds.flushes ? exact.sigmoid_of_minus < 1.00001 * double{kLeastNormal} : x > 88.72f);
  if (!vanished) errors.add_sigmoid(-x, ulps(minus_s, exact.sigmoid_of_minus));
  // What the cells' slopes make of saturated values: exactly nothing.
  ASSERT_TRUE(x < 9.02f || tanh_slope(t) == 0.0f) << "at " << x;
  ASSERT_TRUE(x < 17.4f || sigmoid_slope(s) == 0.0f) << "at " << x;
  ASSERT_TRUE(x < (bounds.flushes ? 87.4f : 104.0f) || sigmoid_slope(minus_s) == 0.0f)
      << "at " << -x;
}

void check(const Queue& queue, const Forward& forward, const Bounds& bounds, std::uint32_t stride) {
  constexpr std::size_t kBlock = 8192;
  Evaluation evaluation(queue, forward, kBlock);
  Values above, below;
  Errors errors;
  Rising tanh(bounds.tanh), sigmoid(bounds.sigmoid);
  float last = 0.0f;
  Sweep(stride).blocks(kBlock, [&](std::vector<float>& x) {
    if (::testing::Test::HasFatalFailure()) return;
    evaluation.run(x, above);
    for (float& value : x) value = -value;
    evaluation.run(x, below);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float positive = -x[i];
      expect_right(positive, bounds, above, below, i, errors);
      if (positive >= last) {
        tanh.add(positive, above.tanh[i]);
        sigmoid.add(positive, above.sigmoid[i]);
        last = positive;
      }
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
  EXPECT_LE(errors.tanh, bounds.tanh) << "tanh at " << errors.tanh_at;
  EXPECT_LE(errors.sigmoid, bounds.sigmoid) << "sigmoid at " << errors.sigmoid_at;
  const auto record = [](const char* name, double error) {
    ::testing::Test::RecordProperty(name, std::to_string(error));
    std::printf("  %s: at most %.3f ulp\n", name, error);
  };
  record("tanh", errors.tanh);
  record("sigmoid", errors.sigmoid);
}

// Cells whose units are saturated, with a gradient of 1 by all they give: what must vanish does.
void check_saturated_cells(const Queue& queue, const Forward& forward, const Backward& backward) {
  const std::vector<float> x = {9.1f, -9.1f, 20.0f, -20.0f, 200.0f, -200.0f, 3e38f, -3e38f};
  const auto count = static_cast<std::int64_t>(x.size());
  const std::vector<float> ones(x.size(), 1.0f);
  {
    const GuardedBuffer gates(queue, x), h(queue, ones), dh(queue, ones);
    forward({.cell = Cell::rnn_tanh,
             .rows = 1,
             .batch = 1,
             .hidden_size = count,
             .gates = gates.data(),
             .h_state = h.data()});
    backward({.cell = Cell::rnn_tanh,
              .rows = 1,
              .batch = 1,
              .hidden_size = count,
              .gates = gates.data(),
              .h_previous = h.data(),
              .ldh = count,
              .h_initial = h.data(),
              .dh_state = dh.data()});
    for (const float slope : gates.get<float>()) EXPECT_EQ(slope, 0.0f) << "rnn_tanh";
  }
  // A gate of an LSTM at +-200, the others at 0 or so that it counts: dgate = 0.
  for (const int gate : {0, 1, 2, 3}) {
    for (const float saturated : {200.0f, -200.0f}) {
      std::vector<float> pre = {0.5f, 0.25f, 0.5f, 0.5f};
      pre[static_cast<std::size_t>(gate)] = saturated;
      const std::vector<float> one = {1.0f};
      const GuardedBuffer gates(queue, pre), h(queue, one), c_state(queue, one), c(queue, one),
          c_previous(queue, one), dh(queue, one), dc(queue, one);
      forward({.cell = Cell::lstm,
               .rows = 1,
               .batch = 1,
               .hidden_size = 1,
               .gates = gates.data(),
               .h_state = h.data(),
               .c_state = c_state.data(),
               .c = c.data()});
      backward({.cell = Cell::lstm,
                .rows = 1,
                .batch = 1,
                .hidden_size = 1,
                .gates = gates.data(),
                .h_previous = h.data(),
                .ldh = 1,
                .c_previous = c_previous.data(),
                .previous_rows = 1,
                .h_initial = h.data(),
                .c_initial = c_previous.data(),
                .c = c.data(),
                .dh_state = dh.data(),
                .dc_state = dc.data()});
      const auto gradient = gates.get<float>();
      EXPECT_EQ(gradient[static_cast<std::size_t>(gate)], 0.0f)
          << "LSTM gate " << gate << " at " << saturated;
      for (int other = 0; other < 4; ++other) {  // the test would show nothing if all were 0
        const bool closed = gate == 0 && saturated < 0 && other == 2;  // i = 0
        if (other == gate || closed) continue;
        EXPECT_NE(gradient[static_cast<std::size_t>(other)], 0.0f)
            << "gate " << other << " beside " << gate;
      }
    }
  }
}

std::uint32_t stride() {
  if (kSanitized) return 65521;
  const char* all = std::getenv("SLUICE_EVERY_FLOAT");
  return all != nullptr && *all != '\0' && std::string(all) != "0"
             ? 1
             : 4099;  // prime: every last digit
}

// The rows of a cell by one instruction set, as a launch would run them.
class ActivationsOf : public ::testing::TestWithParam<InstructionSet> {
 protected:
  Forward forward() const {
    const auto rows = SLUICE_IN_EACH_SET(cell_rows_forward).of(GetParam());
    return [rows](const CellStepForwardArgs& args) {
      const FlushDenormals flush;
      rows(args, CellPhase::whole, 0, args.rows);
    };
  }
  Backward backward() const {
    const auto rows = SLUICE_IN_EACH_SET(cell_rows_backward).of(GetParam());
    return [rows](const CellStepBackwardArgs& args) {
      const FlushDenormals flush;
      rows(args, CellPhase::whole, 0, args.rows);
    };
  }
};

TEST_P(ActivationsOf, AreAsNearAsTheirHeaderSays) {
  check(Queue{}, forward(), bounds_of(GetParam()), stride());
}

TEST_P(ActivationsOf, SaturatedCellsHaveNoGradient) {
  check_saturated_cells(Queue{}, forward(), backward());
}

INSTANTIATE_TEST_SUITE_P(All, ActivationsOf, ::testing::ValuesIn(instruction_sets()),
                         [](const auto& set) { return std::string(sluice::name_of(set.param)); });

class Activations : public OnEachDevice {
 protected:
  Forward forward() const {
    return [this](const CellStepForwardArgs& args) { cell_step_forward(queue(), args); };
  }
  Backward backward() const {
    return [this](const CellStepBackwardArgs& args) { cell_step_backward(queue(), args); };
  }
};

TEST_P(Activations, AreAsNearAsTheirHeaderSays) {
  const bool cuda = GetParam() == DeviceKind::cuda;
  check(queue(), forward(), cuda ? kCudaBounds : bounds_of(instruction_set()), 65521);
}

TEST_P(Activations, SaturatedCellsHaveNoGradient) {
  check_saturated_cells(queue(), forward(), backward());
}

SLUICE_INSTANTIATE_ON_EACH_DEVICE(Activations);

}  // namespace
}  // namespace sluice::test
