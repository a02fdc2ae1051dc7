// The CPU's time loop of blocks of rows against plain loops in double: every cell, with zoneout and
// recurrent dropout, ragged rows, both ways, on several threads and in runs of steps.
#include "kernels/time_loops/recurrence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "tests/kernels/device_fixture.h"
#include "tests/kernels/time_loops/plain_recurrence.h"

namespace sluice::test {
namespace {

enum class ZoneoutKind { off, draws, mixes };

/// A direction's numbers, which float32 has too.
PlainArrays arrays_of(Cell cell, const SequencesOnDevice& sequences, std::int64_t hidden,
                      ZoneoutKind zoneout, bool masked, bool reverse,
                      const std::uint32_t* training_step) {
  const CellSpec& spec = spec_of(cell);
  const std::int64_t states = sequences.batch() * hidden;
  std::uint32_t seed = 1;
  const auto numbers = [&](std::int64_t count, float scale) {
    const auto values = random_numbers<float>(count, seed++);
    std::vector<double> scaled;
    for (const float x : values) scaled.push_back(scale * x);
    return scaled;
  };
  const float small = 1.0f / std::sqrt(static_cast<float>(hidden));
  PlainArrays arrays;
  arrays.hidden = hidden;
  arrays.reverse = reverse;
  arrays.weight_hh = numbers(spec.gates * hidden * hidden, 1.0f);
  for (double& x : arrays.weight_hh) x = static_cast<float>(x * small);
  arrays.bias = numbers(spec.slots * hidden, 0.5f);
  arrays.unit_weights = numbers(spec.unit_weights * hidden, 1.0f);
  arrays.x_products = numbers(sequences.rows() * spec.gates * hidden, 1.0f);
  if (masked) {
    arrays.mask = numbers(spec.gates * states, 1.0f);
    for (double& x : arrays.mask) x = x < -0.25 ? 0.0 : 1.25;
  }
  arrays.h_initial = numbers(states, 1.0f);
  arrays.c_initial = numbers(states, 1.0f);
  arrays.dy = numbers(sequences.rows() * hidden, 1.0f);
  arrays.dh_last = numbers(states, 1.0f);
  arrays.dc_last = numbers(states, 1.0f);
  arrays.zoneout =
      unit_draws({.zoneout_h = zoneout == ZoneoutKind::off ? 0.0 : 0.4,
                  .zoneout_c = zoneout == ZoneoutKind::off || !spec.has_cell_state() ? 0.0 : 0.25},
                 hidden, 3, zoneout == ZoneoutKind::draws, 1234567890123u, training_step)
          .zoneout;
  return arrays;
}

template <class T>
std::vector<T> as(const std::vector<double>& numbers) {
  return {numbers.begin(), numbers.end()};
}

/// One pass of the time loop over buffers of T on `threads`, in runs of `run` steps.
template <class T>
class Loop {
 public:
  Loop(Cell cell, const PlainArrays& in, const std::vector<std::int32_t>& lengths, int threads,
       std::int32_t run)
      : in_(in),
        spec_(spec_of(cell)),
        run_(run),
        device_(DeviceKind::cpu, threads),
        sequences_(queue(), lengths),
        shape_{.cell = cell, .type = type_of<T>, .hidden_size = in.hidden},
        gates_(queue(), slots_with_x_products()),
        c_(queue(), states_bytes(sequences_.rows())),
        h_(queue(), sequences_.rows() * ldh() * sizeof(T)),
        h_initial_(queue(), as<T>(in.h_initial)),
        c_initial_(queue(), as<T>(in.c_initial)),
        mask_(queue(), as<T>(in.mask)),
        unit_weights_(queue(), as<T>(in.unit_weights)),
        weight_hh_(queue(), as<T>(in.weight_hh)),
        packed_(queue(), recurrence_weight_bytes(shape_)),
        scratch_(queue(), recurrence_scratch_bytes(shape_, sequences_.batch())) {}

  void forward() {
    const GuardedBuffer h_state(queue(), as<T>(in_.h_initial)),
        c_state(queue(), as<T>(in_.c_initial)), bias(queue(), as<T>(in_.bias));
    RecurrenceForwardArgs args{.shape = shape_, .sequences = sequences_.view()};
    fill(args);
    args.bias = bias.data();
    args.h_state = h_state.data();
    args.c_state = spec_.has_cell_state() ? c_state.data() : nullptr;
    args.c = spec_.has_cell_state() ? c_.data() : nullptr;
    args.h = h_.data();
    pack_forward_weights(queue(), shape_, weight_hh_.data(), packed_.data());
    for_each_run(in_.reverse, [&](std::int32_t begin, std::int32_t end, void* gates) {
      args.begin = begin, args.end = end, args.gates = gates;
      recurrence_forward(queue(), args);
    });
    const auto h = h_.get<T>();
    expect("h", in_.h, [&](std::int64_t i) { return h[i / in_.hidden * ldh() + i % in_.hidden]; });
    expect("h after the last step", in_.h_last, h_state.get<T>());
    if (spec_.has_cell_state()) {
      expect("c", in_.c, c_.get<T>());
      expect("c after the last step", in_.c_last, c_state.get<T>());
    }
    const auto slots = gates_.get<T>();
    expect("slots", in_.kept, slots);
    EXPECT_TRUE(h_state.guards_intact() && c_state.guards_intact() && h_.guards_intact() &&
                c_.guards_intact() && gates_.guards_intact() && scratch_.guards_intact());
  }

  /// After forward().
  void backward() {
    const GuardedBuffer dh_state(queue(), as<T>(in_.dh_last)),
        dc_state(queue(), as<T>(in_.dc_last)), dy(queue(), as<T>(in_.dy));
    RecurrenceBackwardArgs args{.shape = shape_, .sequences = sequences_.view()};
    fill(args);
    args.h_initial = h_initial_.data();
    args.c_initial = c_initial_.data();
    args.h = h_.data();
    args.c = c_.data();
    args.dy = dy.data();
    args.lddy = in_.hidden;
    args.dh_state = dh_state.data();
    args.dc_state = spec_.has_cell_state() ? dc_state.data() : nullptr;
    pack_backward_weights(queue(), shape_, weight_hh_.data(), packed_.data());
    for_each_run(!in_.reverse, [&](std::int32_t begin, std::int32_t end, void* gates) {
      args.begin = begin, args.end = end, args.gates = gates;
      recurrence_backward(queue(), args);
    });
    expect("gradients in slots", in_.slots, gates_.get<T>());
    expect("dh", in_.dh_first, dh_state.get<T>());
    if (spec_.has_cell_state()) expect("dc", in_.dc_first, dc_state.get<T>());
    EXPECT_TRUE(dh_state.guards_intact() && dc_state.guards_intact() && gates_.guards_intact() &&
                scratch_.guards_intact());
  }

 private:
  static constexpr bool is_double = sizeof(T) == 8;

  const Queue& queue() const { return device_.queue(); }
  std::int64_t ldh() const { return in_.hidden + 3; }
  std::size_t states_bytes(std::int64_t rows) const { return rows * in_.hidden * sizeof(T); }

  // NaN where x W^T is not.
  std::vector<T> slots_with_x_products() const {
    const std::int64_t g = spec_.gates * in_.hidden, s = spec_.slots * in_.hidden;
    std::vector<T> slots(sequences_.rows() * s, std::nan(""));
    for (std::int64_t row = 0; row < sequences_.rows(); ++row) {
      for (std::int64_t i = 0; i < g; ++i) {
        slots[row * s + i] = static_cast<T>(in_.x_products[row * g + i]);
      }
    }
    return slots;
  }

  template <class Args>
  void fill(Args& args) const {
    args.reverse = in_.reverse;
    args.packed = packed_.data();
    args.ldh = ldh();
    args.mask = in_.mask.empty() ? nullptr : mask_.data();
    args.unit_weights = spec_.unit_weights > 0 ? unit_weights_.data() : nullptr;
    args.draws.zoneout = in_.zoneout;
    args.scratch = scratch_.data();
  }

  template <class Use>
  void for_each_run(bool from_the_end, Use&& use) const {
    const Sequences view = sequences_.view();
    const std::int32_t runs = (view.steps + run_ - 1) / run_;
    for (std::int32_t i = 0; i < runs; ++i) {
      const std::int32_t begin = (from_the_end ? runs - 1 - i : i) * run_;
      use(begin, std::min(view.steps, begin + run_),
          static_cast<T*>(gates_.data()) + view.host_offsets[begin] * spec_.slots * in_.hidden);
    }
  }

  template <class Get>
  void expect(const char* what, const std::vector<double>& expected,
              Get&& get) const requires std::invocable<Get, std::int64_t> {
    const double allowed = is_double ? 1e-12 : 1e-5;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(get(static_cast<std::int64_t>(i)), expected[i],
                  allowed * (1.0 + std::abs(expected[i])))
          << what << ", element " << i;
    }
  }
  void expect(const char* what, const std::vector<double>& expected,
              const std::vector<T>& got) const {
    ASSERT_EQ(got.size(), expected.size());
    expect(what, expected, [&](std::int64_t i) { return got[i]; });
  }

  const PlainArrays& in_;
  const CellSpec& spec_;
  const std::int32_t run_;
  const TestDevice device_;
  const SequencesOnDevice sequences_;
  const RecurrenceShape shape_;
  const GuardedBuffer gates_, c_, h_, h_initial_, c_initial_, mask_, unit_weights_, weight_hh_,
      packed_, scratch_;
};

void run_plain(Cell cell, const SequencesOnDevice& sequences, PlainArrays& arrays) {
  with_cell(cell, [&]<class C>(C) {
    PlainRecurrence<C> plain(sequences, arrays);
    plain.forward();
    plain.backward();
  });
}

template <class T>
void run_loops(Cell cell, const PlainArrays& arrays, const std::vector<std::int32_t>& lengths) {
  for (const int threads : {1, 2}) {
    for (const std::int32_t run : {2, 100}) {
      SCOPED_TRACE(testing::Message() << threads << " threads, runs of " << run << " steps");
      Loop<T> loop(cell, arrays, lengths, threads, run);
      loop.forward();
      loop.backward();
    }
  }
}

class RowBlocks : public ::testing::TestWithParam<std::tuple<Cell, ZoneoutKind>> {
 protected:
  void check(const std::vector<std::int32_t>& lengths, std::int64_t hidden, bool masked,
             bool reverse) const {
    SCOPED_TRACE(testing::Message()
                 << "H " << hidden << (masked ? ", masked" : "") << (reverse ? ", reverse" : ""));
    const auto [cell, zoneout] = GetParam();
    const std::uint32_t training_step = 5;
    const SequencesOnDevice sequences({}, lengths);
    PlainArrays arrays =
        arrays_of(cell, sequences, hidden, zoneout, masked, reverse, &training_step);
    run_plain(cell, sequences, arrays);
    run_loops<double>(cell, arrays, lengths);
    run_loops<float>(cell, arrays, lengths);
  }
};

TEST_P(RowBlocks, FollowPlainLoops) {
  for (const bool masked : {false, true}) {
    for (const bool reverse : {false, true}) {
      check({3, 7, 1, 7, 5, 2, 4, 6, 1}, 19, masked, reverse);
    }
  }
}

// Of weights that outgrow a core's cache two threads share a row's units.
TEST_P(RowBlocks, FollowPlainLoopsWhereThreadsShareUnits) {
  const auto [cell, zoneout] = GetParam();
  constexpr std::int64_t hidden = 420;
  if (spec_of(cell).recurrent_matrix) {
    EXPECT_EQ(recurrence_members({.cell = cell, .hidden_size = hidden}, 3, 2), 2);
  }
  check({2, 3, 1}, hidden, zoneout == ZoneoutKind::mixes, zoneout == ZoneoutKind::draws);
}

std::string test_name(const ::testing::TestParamInfo<RowBlocks::ParamType>& test) {
  constexpr const char* kZoneouts[] = {"", "_zoneout_draws", "_zoneout_mixes"};
  return std::string(name_of(std::get<0>(test.param))) +
         kZoneouts[static_cast<int>(std::get<1>(test.param))];
}

INSTANTIATE_TEST_SUITE_P(All, RowBlocks,
                         ::testing::Combine(::testing::ValuesIn(all_cells),
                                            ::testing::Values(ZoneoutKind::off, ZoneoutKind::draws,
                                                              ZoneoutKind::mixes)),
                         test_name);

// What the loops are measured by: its gradients are those of its own results, along one way through
// all that goes in.
TEST(PlainRecurrences, HaveTheGradientsOfTheirResults) {
  for (const Cell cell : all_cells) {
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(testing::Message() << name_of(cell) << (reverse ? ", reverse" : ""));
      const SequencesOnDevice sequences({}, {3, 5, 1, 4});
      PlainArrays arrays =
          arrays_of(cell, sequences, 7, ZoneoutKind::draws, true, reverse, nullptr);
      run_plain(cell, sequences, arrays);
      const CellSpec& spec = spec_of(cell);
      double expected = 0;
      const auto add = [&](const std::vector<double>& gradient, const std::vector<double>& way) {
        for (std::size_t i = 0; i < way.size(); ++i) expected += gradient[i] * way[i];
      };
      const auto way = [](std::size_t count, std::uint32_t seed) {
        return random_numbers<double>(static_cast<std::int64_t>(count), seed);
      };
      const auto x_way = way(arrays.x_products.size(), 91),
                 h_way = way(arrays.h_initial.size(), 92), c_way = way(arrays.c_initial.size(), 93),
                 u_way = way(arrays.unit_weights.size(), 94);
      const std::int64_t g = spec.gates * arrays.hidden, s = spec.slots * arrays.hidden;
      for (std::size_t i = 0; i < x_way.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        expected += arrays.slots[at / g * s + at % g] * x_way[i];
      }
      add(arrays.dh_first, h_way);
      add(arrays.d_unit_weights, u_way);
      if (spec.has_cell_state()) add(arrays.dc_first, c_way);
      const auto loss = [&](double distance) {
        PlainArrays moved = arrays;
        const auto move = [&](std::vector<double>& numbers, const std::vector<double>& along) {
          for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += distance * along[i];
        };
        move(moved.x_products, x_way);
        move(moved.h_initial, h_way);
        move(moved.c_initial, c_way);
        move(moved.unit_weights, u_way);
        run_plain(cell, sequences, moved);
        double sum = 0;
        const auto dot = [&](const std::vector<double>& a, const std::vector<double>& b) {
          for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
        };
        dot(moved.h, moved.dy);
        dot(moved.h_last, moved.dh_last);
        if (spec.has_cell_state()) dot(moved.c_last, moved.dc_last);
        return sum;
      };
      constexpr double epsilon = 1e-6;
      EXPECT_NEAR((loss(epsilon) - loss(-epsilon)) / (2 * epsilon), expected, 1e-6);
    }
  }
}

}  // namespace
}  // namespace sluice::test
