// How good a tagger is, from the confusion matrix of its steps.
#pragma once

#include "host/data/labels.h"
#include "host/tasks/confusion.h"
#include "host/tasks/metrics.h"

namespace sluice {

/// Of the steps that have a label.
class TaggingMetrics : public Metrics {
 public:
  explicit TaggingMetrics(const LabelSet& labels) : labels_(labels), confusion_(labels.size()) {}

  void add(const Batch& batch, const std::vector<float>& outputs) override;
  double accuracy() const override { return confusion_.accuracy(); }

  const Confusion& confusion() const { return confusion_; }

  std::vector<std::string> lines(const Evaluation& result) const override;
  Json json(const Evaluation& result) const override;

 private:
  LabelSet labels_;
  Confusion confusion_;
};

}  // namespace sluice
