#include "host/training/classification_metrics.h"

#include <algorithm>

namespace sluice {

void ClassificationMetrics::add(std::int32_t true_class, std::int32_t predicted) {
  ++confusion_.at(static_cast<std::size_t>(true_class)).at(static_cast<std::size_t>(predicted));
}

std::int64_t ClassificationMetrics::examples() const {
  std::int64_t total = 0;
  for (const auto& row : confusion_) {
    for (const std::int64_t count : row) total += count;
  }
  return total;
}

double ClassificationMetrics::accuracy() const {
  std::int64_t correct = 0;
  for (std::size_t c = 0; c < confusion_.size(); ++c) correct += confusion_[c][c];
  const std::int64_t total = examples();
  return total == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(total);
}

double ClassificationMetrics::f1_of(std::size_t c) const {
  std::int64_t actual = 0, predicted = 0;
  for (std::size_t other = 0; other < confusion_.size(); ++other) {
    actual += confusion_[c][other];
    predicted += confusion_[other][c];
  }
  if (actual + predicted == 0) return 0.0;
  return 2.0 * static_cast<double>(confusion_[c][c]) / static_cast<double>(actual + predicted);
}

double ClassificationMetrics::f1() const {
  if (confusion_.size() == 2) return f1_of(1);
  double sum = 0.0;
  for (std::size_t c = 0; c < confusion_.size(); ++c) sum += f1_of(c);
  return sum / static_cast<double>(confusion_.size());
}

std::int32_t predicted_class(const float* probabilities, int logits) {
  if (logits == 1) return probabilities[0] > 0.5f ? 1 : 0;
  return static_cast<std::int32_t>(std::max_element(probabilities, probabilities + logits) -
                                   probabilities);
}

float predicted_probability(const float* probabilities, int logits) {
  const std::int32_t best = predicted_class(probabilities, logits);
  if (logits == 1) return best == 1 ? probabilities[0] : 1.0f - probabilities[0];
  return probabilities[best];
}

}  // namespace sluice
