// How good a classifier is, from its confusion matrix.
#pragma once

#include "host/data/labels.h"
#include "host/tasks/confusion.h"
#include "host/tasks/metrics.h"

namespace sluice {

class ClassificationMetrics : public Metrics {
 public:
  explicit ClassificationMetrics(const LabelSet& labels)
      : labels_(labels), confusion_(labels.size()) {}

  void add(const Batch& batch, const std::vector<float>& outputs) override;
  double accuracy() const override { return confusion_.accuracy(); }

  /// Two classes: of class 1. More: the mean over the classes (macro).
  double f1() const { return labels_.size() == 2 ? confusion_.f1(1) : confusion_.macro_f1(); }
  const Confusion& confusion() const { return confusion_; }

  std::vector<std::string> lines(const Evaluation& result) const override;
  Json json(const Evaluation& result) const override;

 private:
  LabelSet labels_;
  Confusion confusion_;
};

}  // namespace sluice
