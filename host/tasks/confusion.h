// Which classes are taken for which, and what follows from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

class Confusion {
 public:
  explicit Confusion(int classes)
      : counts_(static_cast<std::size_t>(classes),
                std::vector<std::int64_t>(static_cast<std::size_t>(classes), 0)) {}

  /// Errors: std::out_of_range for a class that there is not.
  void add(std::int32_t true_class, std::int32_t predicted_class);

  /// [true class][predicted class]
  const std::vector<std::vector<std::int64_t>>& counts() const { return counts_; }
  std::int64_t total() const;
  double accuracy() const;  ///< 0 of nothing

  // Of one class; 0 where nothing is divided by nothing.
  std::int64_t support(std::size_t c) const;    ///< how often it is the true one
  std::int64_t predicted(std::size_t c) const;  ///< how often it was predicted
  double precision(std::size_t c) const;        ///< TP / (TP + FP)
  double recall(std::size_t c) const;           ///< TP / (TP + FN)
  double f1(std::size_t c) const;               ///< 2 TP / (2 TP + FP + FN)

  double macro_f1() const;  ///< the mean over all classes

 private:
  std::vector<std::vector<std::int64_t>> counts_;
};

}  // namespace sluice
