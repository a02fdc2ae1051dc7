#include "kernels/sequences/dropout.h"

#include "tests/kernels/device_fixture.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {
namespace {

using Lengths = std::vector<std::int32_t>;
const Lengths ragged = {2, 5, 1, 5, 300};

class Dropout : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Dropout);

// The definition in kernels/sequences/dropout.h, number by number; `random.step` is on the host
// here.
double factor(const RandomStream& random, double rate, std::int64_t row, std::int64_t unit) {
  const Philox::Block block =
      random.block(0, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(unit / 4));
  return Philox::uniform(block.word[unit % 4]) >= static_cast<float>(rate) ? 1.0 / (1.0 - rate)
                                                                           : 0.0;
}

template <class T>
std::vector<T> drop(const Queue& queue, const SequencesOnDevice& sequences, std::int64_t columns,
                    double rate, const RandomStream& random, const std::vector<T>& x,
                    bool in_place = false) {
  const GuardedBuffer in(queue, x), out(queue, x.size() * sizeof(T));
  dropout_rows(queue, {.type = type_of<T>,
                       .sequences = sequences.view(),
                       .columns = columns,
                       .rate = rate,
                       .random = random,
                       .x = in.data(),
                       .y = in_place ? in.data() : out.data()});
  EXPECT_TRUE(in.guards_intact() && out.guards_intact());
  return (in_place ? in : out).template get<T>();
}

template <class T>
void check_rows(const Queue& queue, std::int64_t columns) {
  const SequencesOnDevice sequences(queue, ragged);
  const RandomStream random{.seed = 0x1234567890, .stream = 2};
  const auto x = random_numbers<T>(sequences.rows() * columns);
  std::vector<double> expected(x.size());
  for (std::int64_t r = 0; r < sequences.batch(); ++r) {
    for (std::int64_t t = 0; t < sequences.lengths()[r]; ++t) {
      for (std::int64_t u = 0; u < columns; ++u) {
        const std::int64_t at = sequences.packed_row(r, t) * columns + u;
        expected[at] = static_cast<double>(x[at]) * factor(random, 0.3, sequences.order()[r], u);
      }
    }
  }
  expect_near(drop(queue, sequences, columns, 0.3, random, x), expected, tolerance<T>);
  expect_near(drop(queue, sequences, columns, 0.3, random, x, true), expected, tolerance<T>);
}

TEST_P(Dropout, RowsAreScaledAsDefined) {
  for (const std::int64_t columns : {1, 3, 4, 34, 256, 300}) {
    check_rows<float>(queue(), columns);
    check_rows<double>(queue(), columns);
  }
}

TEST_P(Dropout, StepsAreTreatedAlone) {
  const SequencesOnDevice sequences(queue(), ragged);
  const RandomStream random{.seed = 5, .stream = 2};
  const auto x = random_numbers<float>(sequences.rows() * 34);
  const auto all = drop(queue(), sequences, 34, 0.3, random, x);
  for (const auto& [begin, end] :
       {std::pair{0, 2}, std::pair{1, 4}, std::pair{140, 1000}, std::pair{3, 3}}) {
    const GuardedBuffer memory(queue(), x);
    dropout_rows(queue(), {.sequences = sequences.view(),
                           .begin = begin,
                           .end = end,
                           .columns = 34,
                           .rate = 0.3,
                           .random = random,
                           .x = memory.data(),
                           .y = memory.data()});
    auto expected = x;
    const std::int64_t first = sequences.packed_row(0, begin) * 34;
    const std::int64_t last = end > 300 ? sequences.rows() * 34 : sequences.packed_row(0, end) * 34;
    std::copy(all.begin() + first, all.begin() + last, expected.begin() + first);
    EXPECT_EQ(memory.get<float>(), expected) << begin << " to " << end;
  }
}

TEST_P(Dropout, RateZeroChangesNothing) {
  const SequencesOnDevice sequences(queue(), ragged);
  const auto x = random_numbers<float>(sequences.rows() * 7);
  EXPECT_EQ(drop(queue(), sequences, 7, 0.0, {.seed = 3}, x), x);
}

TEST_P(Dropout, KeepsTheAskedShareAndTheMean) {
  const SequencesOnDevice sequences(queue(), Lengths(100, 1));
  const std::vector<float> ones(100 * 500, 1.0f);
  double sum = 0.0;
  int kept = 0;
  for (const float y : drop(queue(), sequences, 500, 0.25, {.seed = 9, .stream = 4}, ones)) {
    sum += y;
    kept += y != 0.0f;
  }
  EXPECT_NEAR(kept / 50000.0, 0.75, 0.008);  // four standard deviations
  EXPECT_NEAR(sum / 50000.0, 1.0, 0.011);
}

TEST_P(Dropout, StepSeedAndStreamEachGiveAnotherMask) {
  const SequencesOnDevice sequences(queue(), Lengths(8, 2));
  const std::vector<float> ones(sequences.rows() * 64, 1.0f);
  const GuardedBuffer steps(queue(), std::vector<std::uint32_t>{0, 1});
  const auto* step = static_cast<const std::uint32_t*>(steps.data());
  const auto with = [&](const RandomStream& random) {
    return drop(queue(), sequences, 64, 0.5, random, ones);
  };
  const auto base = with({.seed = 1, .stream = 1});
  EXPECT_EQ(with({.seed = 1, .stream = 1, .step = step}), base);
  EXPECT_NE(with({.seed = 1, .stream = 1, .step = step + 1}), base);
  EXPECT_NE(with({.seed = 2, .stream = 1}), base);
  EXPECT_NE(with({.seed = 1, .stream = 2}), base);
}

template <class T>
void check_mask(const Queue& queue, std::int64_t planes, std::int64_t columns, bool ordered) {
  const std::vector<std::int32_t> order = {4, 0, 2, 1, 3};
  const std::int64_t rows = static_cast<std::int64_t>(order.size());
  const GuardedBuffer order_memory(queue, order), mask(queue, planes * rows * columns * sizeof(T));
  const RandomStream random{.seed = 77, .stream = 9};
  dropout_mask(queue,
               {.type = type_of<T>,
                .planes = planes,
                .rows = rows,
                .columns = columns,
                .rate = 0.4,
                .random = random,
                .order = ordered ? static_cast<const std::int32_t*>(order_memory.data()) : nullptr,
                .mask = mask.data()});
  std::vector<double> expected;
  for (std::int64_t g = 0; g < planes; ++g) {
    for (std::int64_t b = 0; b < rows; ++b) {
      for (std::int64_t u = 0; u < columns; ++u) {
        expected.push_back(factor(random, 0.4, ordered ? order[b] : b, g * columns + u));
      }
    }
  }
  expect_near(mask.get<T>(), expected, tolerance<T>);
  EXPECT_TRUE(mask.guards_intact());
}

TEST_P(Dropout, MaskHoldsTheSameFactors) {
  for (const std::int64_t columns : {1, 5, 64, 130}) {
    for (const std::int64_t planes : {1, 3, 4}) {
      check_mask<float>(queue(), planes, columns, true);
      check_mask<double>(queue(), planes, columns, false);
    }
  }
}

TEST(DropoutThreads, DoNotChangeTheBits) {
  expect_same_bits_on_any_threads<float>([](const Queue& queue) {
    const SequencesOnDevice sequences(queue, ragged);
    return drop(queue, sequences, 300, 0.3, {.seed = 5},
                random_numbers<float>(sequences.rows() * 300));
  });
}

TEST(DropoutArguments, AreChecked) {
  for (const double rate : {-0.1, 1.0, 2.0, std::nan("")}) {
    expect_usage_error([&] { dropout_rows({}, {.rate = rate}); }, "rate");
    expect_usage_error([&] { dropout_mask({}, {.rate = rate}); }, "rate");
  }
  EXPECT_NO_THROW(dropout_rows({}, {.columns = 3}));
  expect_usage_error([] { dropout_mask({}, {.planes = 1, .rows = 1, .columns = 1}); }, "mask");
  expect_usage_error([] { dropout_mask({}, {.planes = -1}); }, "planes");
}

}  // namespace
}  // namespace sluice::test
