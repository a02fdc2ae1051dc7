// How good a classifier is, from its confusion matrix.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

/// confusion[true class][predicted class].
class ClassificationMetrics {
 public:
  explicit ClassificationMetrics(int classes)
      : confusion_(static_cast<std::size_t>(classes),
                   std::vector<std::int64_t>(static_cast<std::size_t>(classes), 0)) {}

  void add(std::int32_t true_class, std::int32_t predicted_class);

  const std::vector<std::vector<std::int64_t>>& confusion() const { return confusion_; }
  std::int64_t examples() const;
  double accuracy() const;  ///< 0 without examples

  /// Two classes: of class 1, 2 TP / (2 TP + FP + FN). More: the mean over the classes (macro).
  /// A class that neither occurs nor is predicted counts as 0.
  double f1() const;

 private:
  double f1_of(std::size_t c) const;

  std::vector<std::vector<std::int64_t>> confusion_;
};

/// The class of the largest of a row's probabilities, the first of equals. With one number, the
/// probability of class 1: class 1 if it is above 1/2.
std::int32_t predicted_class(const float* probabilities, int logits);
/// The probability of that class.
float predicted_probability(const float* probabilities, int logits);

}  // namespace sluice
