#include "kernels/losses/loss.h"

#include <algorithm>
#include <limits>

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

using Labels = std::vector<std::int32_t>;

class Loss : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Loss);

template <class T>
struct Outcome {
  std::vector<T> d_logits, probabilities;
  std::vector<double> totals;  // added to {1, 2, 3}
};

// classes == 0: one logit a row.
template <class T>
Outcome<T> run(const Queue& queue, const std::vector<T>& logits, const Labels& labels,
               std::int64_t classes, double gradient_scale = 0.0) {
  const auto rows = static_cast<std::int64_t>(labels.size());
  const std::size_t bytes = cross_entropy_workspace_bytes(rows);
  const GuardedBuffer x(queue, logits), y(queue, labels), dx(queue, logits.size() * sizeof(T)),
      p(queue, logits.size() * sizeof(T)), workspace(queue, bytes),
      totals(queue, std::vector<double>{1, 2, 3});
  const auto* label_memory = static_cast<const std::int32_t*>(y.data());
  if (classes == 0) {
    sigmoid_cross_entropy(queue, {.type = type_of<T>,
                                  .rows = rows,
                                  .logits = x.data(),
                                  .labels = label_memory,
                                  .gradient_scale = gradient_scale,
                                  .d_logits = dx.data(),
                                  .probabilities = p.data(),
                                  .totals = static_cast<double*>(totals.data()),
                                  .workspace = workspace.data(),
                                  .workspace_bytes = bytes});
  } else {
    softmax_cross_entropy(queue, {.type = type_of<T>,
                                  .rows = rows,
                                  .classes = classes,
                                  .logits = x.data(),
                                  .labels = label_memory,
                                  .gradient_scale = gradient_scale,
                                  .d_logits = dx.data(),
                                  .probabilities = p.data(),
                                  .totals = static_cast<double*>(totals.data()),
                                  .workspace = workspace.data(),
                                  .workspace_bytes = bytes});
  }
  EXPECT_TRUE(dx.guards_intact() && p.guards_intact() && totals.guards_intact() &&
              workspace.guards_intact());
  return {dx.get<T>(), p.get<T>(), totals.get<double>()};
}

// The losses and gradients are torch 2.15's binary_cross_entropy_with_logits in float64.
const std::vector<double> sigmoid_logits = {0.5, -2.0, 30.0, -40.0, 0.0};
const Labels sigmoid_labels = {1, 0, 0, 1, 1};
const double sigmoid_losses[] = {0.47407698418010669, 0.12692801104297269, 30.000000000000092, 40.0,
                                 0.69314718055994529};
const std::vector<double> sigmoid_gradients = {-0.075508133759629087, 0.02384058440442351,
                                               0.1999999999999813, -0.2, -0.1};

template <class T>
void check_sigmoid(const Queue& queue) {
  const std::vector<T> logits(sigmoid_logits.begin(), sigmoid_logits.end());
  const auto outcome = run(queue, logits, sigmoid_labels, 0);
  double sum = 1.0;
  for (const double loss : sigmoid_losses) sum += loss;
  EXPECT_NEAR(outcome.totals[0], sum, 10 * tolerance<T>);
  EXPECT_EQ(outcome.totals[1], 2 + 2);  // a logit of 0 is class 0
  EXPECT_EQ(outcome.totals[2], 3 + 5);
  expect_near(outcome.d_logits, sigmoid_gradients, tolerance<T>);
  std::vector<double> probabilities;
  for (const double x : sigmoid_logits) probabilities.push_back(1.0 / (1.0 + std::exp(-x)));
  expect_near(outcome.probabilities, probabilities, tolerance<T>);
}

TEST_P(Loss, SigmoidAgreesWithPyTorch) {
  check_sigmoid<float>(queue());
  check_sigmoid<double>(queue());
}

TEST_P(Loss, SigmoidOfExtremeLogitsIsFinite) {
  const std::vector<float> logits = {1000, -1000, 1000, -1000};
  const auto outcome = run(queue(), logits, {1, 0, 0, 1}, 0, 1.0);
  EXPECT_DOUBLE_EQ(outcome.totals[0], 1.0 + 2000.0);
  EXPECT_EQ(outcome.d_logits, (std::vector<float>{0, 0, 1, -1}));
}

TEST_P(Loss, IgnoredRowsCountForNothing) {
  const auto sigmoid = run<double>(queue(), {3, 5}, {-1, 1}, 0, 1.0);
  EXPECT_NEAR(sigmoid.totals[0], 1.0 + std::log1p(std::exp(-5.0)), 1e-12);
  EXPECT_EQ(sigmoid.totals[1], 2 + 1);
  EXPECT_EQ(sigmoid.totals[2], 3 + 1);
  EXPECT_EQ(sigmoid.d_logits[0], 0.0);
  const auto softmax = run<double>(queue(), {3, 5, 1, 2}, {-1, 1}, 2, 1.0);
  EXPECT_NEAR(softmax.totals[0], 1.0 + std::log1p(std::exp(-1.0)), 1e-12);
  EXPECT_EQ(softmax.totals[2], 3 + 1);
  EXPECT_EQ(softmax.d_logits[0], 0.0);
  EXPECT_EQ(softmax.d_logits[1], 0.0);
}

TEST_P(Loss, ForeignLabelsPoisonTheLoss) {
  EXPECT_TRUE(std::isnan(run<float>(queue(), {1, 1}, {0, 2}, 0).totals[0]));
  for (const std::int32_t label : {3, -2}) {
    const auto outcome = run<float>(queue(), {1, 2, 3}, {label}, 3);
    EXPECT_TRUE(std::isnan(outcome.totals[0]));
    EXPECT_TRUE(std::isnan(outcome.d_logits[0]));
  }
}

TEST_P(Loss, NaNLogitsGiveANaNLoss) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(run<float>(queue(), {nan}, {1}, 0).totals[0]));
  EXPECT_TRUE(std::isnan(run<float>(queue(), {1, nan, 2}, {2}, 3).totals[0]));
}

template <class T>
void check_softmax(const Queue& queue, std::int64_t rows, std::int64_t classes) {
  SCOPED_TRACE(testing::Message() << rows << " rows, " << classes << " classes");
  auto logits = random_numbers<T>(rows * classes);
  for (T& x : logits) x *= T(20);
  const Labels labels = random_integers(rows, static_cast<std::uint32_t>(classes), 2);
  std::vector<double> gradients, probabilities;
  double loss = 1.0, correct = 2.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const T* x = logits.data() + i * classes;
    double sum = 0.0;
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(double(x[c]) - double(x[labels[i]]));
    loss += std::log(sum);
    correct += std::max_element(x, x + classes) - x == labels[i];
    for (std::int64_t c = 0; c < classes; ++c) {
      probabilities.push_back(std::exp(double(x[c]) - double(x[labels[i]])) / sum);
      gradients.push_back((probabilities.back() - (c == labels[i])) / static_cast<double>(rows));
    }
  }
  const auto outcome = run(queue, logits, labels, classes);
  EXPECT_NEAR(outcome.totals[0], loss, loss * tolerance<T>);
  EXPECT_EQ(outcome.totals[1], correct);
  EXPECT_EQ(outcome.totals[2], 3.0 + static_cast<double>(rows));
  expect_near(outcome.d_logits, gradients, tolerance<T>);
  expect_near(outcome.probabilities, probabilities, tolerance<T>);
}

TEST_P(Loss, SoftmaxAgreesWithItsDefinition) {
  for (const std::int64_t classes : {1, 2, 5, 128, 1000}) {
    for (const std::int64_t rows : {1, 3, 65}) {
      check_softmax<float>(queue(), rows, classes);
      check_softmax<double>(queue(), rows, classes);
    }
  }
}

TEST_P(Loss, SoftmaxOfExtremeLogitsIsFinite) {
  const auto outcome = run<float>(queue(), {10000, -10000, 0}, {1}, 3, 1.0);
  EXPECT_DOUBLE_EQ(outcome.totals[0], 1.0 + 20000.0);
  EXPECT_EQ(outcome.d_logits, (std::vector<float>{1, -1, 0}));
}

TEST_P(Loss, FirstOfEqualLogitsIsTheAnswer) {
  EXPECT_EQ(run<float>(queue(), {4, 4}, {0}, 2).totals[1], 2 + 1);
  EXPECT_EQ(run<float>(queue(), {4, 4}, {1}, 2).totals[1], 2 + 0);
}

TEST_P(Loss, GradientIsTheFiniteDifference) {
  for (const std::int64_t classes : {0, 4}) {
    const Labels labels = classes == 0 ? Labels{1, 0, 1} : Labels{3, 0, -1};
    const auto logits = random_numbers<double>(classes == 0 ? 3 : 12, 4);
    std::vector<double> expected;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      auto above = logits, below = logits;
      above[i] += 1e-5;
      below[i] -= 1e-5;
      expected.push_back(0.7 *
                         (run(queue(), above, labels, classes).totals[0] -
                          run(queue(), below, labels, classes).totals[0]) /
                         2e-5);
    }
    expect_near(run(queue(), logits, labels, classes, 0.7).d_logits, expected, 1e-9);
  }
}

TEST_P(Loss, ProbabilitiesAloneNeedNoLabels) {
  const GuardedBuffer x(queue(), std::vector<float>{0, 0}), p(queue(), 2 * sizeof(float));
  sigmoid_cross_entropy(queue(), {.rows = 2, .logits = x.data(), .probabilities = p.data()});
  EXPECT_EQ(p.get<float>(), (std::vector<float>{0.5f, 0.5f}));
  softmax_cross_entropy(queue(),
                        {.rows = 1, .classes = 2, .logits = x.data(), .probabilities = p.data()});
  EXPECT_EQ(p.get<float>(), (std::vector<float>{0.5f, 0.5f}));
}

TEST_P(Loss, NoRowsAddNothing) {
  const auto outcome = run<float>(queue(), {}, {}, 0);
  EXPECT_EQ(outcome.totals, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(run<float>(queue(), {}, {}, 7).totals, (std::vector<double>{1, 2, 3}));
}

TEST(LossThreads, DoNotChangeTheBits) {
  const auto logits = random_numbers<float>(5000 * 3);
  const Labels labels = random_integers(5000, 2);
  for (const std::int64_t classes : {0, 3}) {
    const std::vector<float> x(logits.begin(),
                               logits.begin() + 5000 * std::max<std::int64_t>(1, classes));
    expect_same_bits_on_any_threads<double>(
        [&](const Queue& queue) { return run(queue, x, labels, classes).totals; });
    expect_same_bits_on_any_threads<float>(
        [&](const Queue& queue) { return run(queue, x, labels, classes).d_logits; });
  }
}

TEST(LossArguments, AreChecked) {
  float x[2] = {};
  double totals[3] = {};
  std::int32_t labels[2] = {};
  expect_usage_error([] { sigmoid_cross_entropy({}, {.rows = -1}); }, "rows");
  expect_usage_error([] { softmax_cross_entropy({}, {.rows = 1}); }, "classes");
  expect_usage_error([] { sigmoid_cross_entropy({}, {.rows = 1}); }, "logits");
  expect_usage_error(
      [&] { sigmoid_cross_entropy({}, {.rows = 1, .logits = x, .d_logits = x + 1}); }, "labels");
  expect_usage_error(
      [&] {
        sigmoid_cross_entropy({}, {.rows = 1, .logits = x, .labels = labels, .totals = totals});
      },
      "workspace");
  expect_usage_error(
      [&] { sigmoid_cross_entropy({}, {.rows = 1, .logits = x, .gradient_scale = std::nan("")}); },
      "gradient_scale");
}

}  // namespace
}  // namespace sluice::test
