// What engine/recurrent.h promises of chunk_steps: on the CPU (and on the imagined GPU) the same
// bits of everything but the weights' gradients, however the steps are cut; on a GPU, where cuBLAS
// chooses a kernel by the number of rows, numbers as near as its roundings.
#include "engine/choice/step_chunks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "tests/engine/recurrent_pass.h"
#include "tests/sanitized.h"

namespace sluice::test {
namespace {

// A shape, and how often it is cut.
struct Case {
  RecurrentConfig config;
  std::vector<std::int32_t> lengths;
  std::int64_t shared = 0;  // U of a shared input; 0: none
  bool states = true;       // h0, c0, dh_n, dc_n are given
  bool training = true;
  std::vector<std::int32_t> chunks;
};

std::string name_of(const Case& c) {
  std::string lengths;
  for (const std::int32_t length : c.lengths) lengths += " " + std::to_string(length);
  const RecurrentConfig& config = c.config;
  return std::string(sluice::name_of(config.cell)) + " " + sluice::name_of(config.data_type) +
         " I " + std::to_string(config.input_size) + " H " + std::to_string(config.hidden_size) +
         " layers " + std::to_string(config.num_layers) +
         (config.bidirectional ? " both ways" : "") + " dropout " +
         std::to_string(config.recurrent_dropout) + " shared " + std::to_string(c.shared) +
         " lengths" + lengths;
}

// Drawn so that each path is met: one row and many, chunks from one row to all, few and many
// columns.
class Draw {
 public:
  explicit Draw(std::uint32_t seed) : random_(seed) {}

  Case next(DataType type, bool small) {
    Case c;
    c.config.cell = all_cells[up_to(static_cast<int>(std::size(all_cells)))];
    c.config.data_type = type;
    c.config.hidden_size =
        pick(small ? std::vector{1, 7, 16, 24} : std::vector{1, 7, 16, 33, 64, 80, 130});
    c.config.input_size =
        pick(small ? std::vector{1, 5, 20} : std::vector{1, 3, 16, 40, 100, 257, 520});
    c.config.num_layers = 1 + up_to(3);
    c.config.bidirectional = up_to(2) == 1;
    const bool drops = up_to(3) == 0;
    if (drops) c.config.layer_dropout = c.config.recurrent_dropout = 0.3;
    c.shared = up_to(4) == 0 ? 1 + up_to(6) : 0;
    if (drops && c.shared == 0) c.config.input_dropout = 0.2;
    const int steps = 1 + up_to(small ? 7 : 23);
    const int batch = pick(small ? std::vector{1, 2, 5} : std::vector{1, 2, 3, 9, 17, 40});
    const bool ragged = up_to(2) == 0;
    for (int row = 0; row < batch; ++row) c.lengths.push_back(ragged ? 1 + up_to(steps) : steps);
    c.states = up_to(2) == 0;
    c.training = up_to(4) != 0;
    c.chunks = {1, 2, 1 + up_to(steps), steps};
    return c;
  }

 private:
  int up_to(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  int pick(const std::vector<int>& from) {
    return from[static_cast<std::size_t>(up_to(static_cast<int>(from.size())))];
  }

  std::mt19937 random_;
};

template <class Number>
struct Results {
  std::vector<Number> y, h_n, c_n, dx, dh0, dc0;
  std::vector<Wide<Number>> d_parameters;
};

template <class Number>
Results<Number> run(const Case& c, const Backend& backend) {
  const SequenceLayout layout(c.lengths);
  RecurrentPass<Number> pass(
      c.config, backend, layout,
      PassShape{layout.rows(), layout.steps(), layout.batch(), c.training, c.shared});
  fill_inputs(pass);
  pass.seed = 11;
  if (c.shared > 0) {
    pass.x = random_numbers<Number>(static_cast<std::size_t>(c.shared * c.config.input_size), 9);
    for (std::int64_t n = 0; n < layout.rows(); ++n) {
      pass.x_index.push_back(static_cast<std::int32_t>(n * n % c.shared));
    }
  }
  if (!c.states) {
    for (auto* states : {&pass.h0, &pass.c0, &pass.dh_n, &pass.dc_n}) states->clear();
  }
  pass.forward();
  if (c.training) pass.backward();
  return {pass.y, pass.h_n, pass.c_n, pass.dx, pass.dh0, pass.dc0, pass.d_parameters};
}

template <class Number>
double largest_difference(const std::vector<Number>& a, const std::vector<Number>& b) {
  double largest = 0.0, size = 1.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(double{widen(a[i])} - double{widen(b[i])}));
    size = std::max(size, std::abs(double{widen(b[i])}));
  }
  return largest / size;
}

// What rounding in another order may change, of the largest number.
template <class Number>
constexpr double rounding = std::is_same_v<Number, double> ? 1e-13 : 2e-5;
template <>
constexpr double rounding<BFloat16> = 0x1p-7;
template <>
constexpr double rounding<Float16> = 0x1p-10;

// 16-bit passes give their weights' gradients in float32, of the same rounded numbers.
template <class Number>
void expect_promised(const Case& c, const Backend& backend) {
  SCOPED_TRACE(name_of(c) + " by " + test::name_of(backend));
  const Results<Number> whole = run<Number>(c, backend);
  for (const std::int32_t steps : c.chunks) {
    SCOPED_TRACE("in chunks of " + std::to_string(steps) + " steps");
    Backend cut = backend;
    cut.chunk_steps = steps;
    const Results<Number> parts = run<Number>(c, cut);
    const std::tuple<const char*, const std::vector<Number>*, const std::vector<Number>*> of[] = {
        {"y", &parts.y, &whole.y},       {"h_n", &parts.h_n, &whole.h_n},
        {"c_n", &parts.c_n, &whole.c_n}, {"dx", &parts.dx, &whole.dx},
        {"dh0", &parts.dh0, &whole.dh0}, {"dc0", &parts.dc0, &whole.dc0}};
    for (const auto& [name, actual, expected] : of) {
      ASSERT_EQ(actual->size(), expected->size()) << name;
      if (has_rows_apart(backend.device)) {
        ASSERT_TRUE(same_bits(*actual, *expected)) << name << " has other bits";
      } else {
        ASSERT_LE(largest_difference(*actual, *expected), rounding<Number>) << name;
      }
    }
    ASSERT_LE(largest_difference(parts.d_parameters, whole.d_parameters), rounding<Number>);
  }
}

class StepChunks : public ::testing::TestWithParam<std::tuple<Backend, DataType>> {};

TEST_P(StepChunks, ChangeNothingButTheRoundingOfTheWeightsGradients) {
  const auto& [backend, type] = GetParam();
  if (const std::string why = why_unavailable(backend, Cell::lstm, type); !why.empty())
    GTEST_SKIP() << why;
  const bool cpu = backend.device == DeviceKind::cpu;
  Draw draw(static_cast<std::uint32_t>(type) * 8 + static_cast<std::uint32_t>(backend.algorithm));
  for (int i = 0; i < (!cpu || kSanitized ? 6 : 50); ++i) {
    const Case c = draw.next(type, !cpu || type == DataType::float64);
    with_number(type, [&]<class Number>(Number) { expect_promised<Number>(c, backend); });
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, StepChunks,
    ::testing::Values(
        std::tuple{Backend{DeviceKind::cpu, Algorithm::row_blocks}, DataType::float32},
        std::tuple{Backend{DeviceKind::cpu, Algorithm::row_blocks}, DataType::float64},
        std::tuple{Backend{DeviceKind::cpu, Algorithm::stepwise}, DataType::float32},
        std::tuple{Backend{DeviceKind::cpu, Algorithm::stepwise}, DataType::float64},
        std::tuple{Backend{DeviceKind::cpu, Algorithm::stepwise}, DataType::bfloat16},
        std::tuple{Backend{DeviceKind::cpu, Algorithm::stepwise}, DataType::float16},
        std::tuple{Backend{DeviceKind::cuda, Algorithm::stepwise}, DataType::float32},
        std::tuple{Backend{DeviceKind::cuda, Algorithm::stepwise}, DataType::bfloat16}),
    [](const auto& test) {
      return test::name_of(std::get<0>(test.param)) + "_" +
             sluice::name_of(std::get<1>(test.param));
    });

}  // namespace
}  // namespace sluice::test
