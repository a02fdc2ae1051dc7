// One answer a row: pooling over time, dropout, classes.
#pragma once

#include "engine/sequence_layout.h"
#include "host/tasks/class_scores.h"
#include "host/tasks/head.h"

namespace sluice {

/// Targets: Batch::labels, one a row.
class ClassificationHead : public Head {
 public:
  explicit ClassificationHead(const HeadContext& context);

  /// C: one for two classes, else as many as there are.
  static std::int64_t outputs(const ModelConfig& config) {
    return config.classes == 2 ? 1 : config.classes;
  }

  void reserve(const PassShape& largest) override;
  std::size_t workspace_bytes(const PassShape& largest) const override;
  std::size_t placed_numbers(const PassShape& largest) const override;
  void place(const Batch& batch, bool training, BatchPlacement& placement) override;
  void forward(const HeadPass& pass) override;
  void loss(const HeadPass& pass, double* totals, const LossScale* loss_scale) override;
  void backward(const HeadPass& pass) override;
  std::int64_t targets() const override { return labels_.count; }
  /// [B, C] probabilities by sorted row.
  std::vector<float> download_outputs() const override { return scores_.download_probabilities(); }

 private:
  void drop(const HeadPass& pass, const Buffer& features);

  Queue queue_;
  ModelConfig config_;
  DataType type_;
  ClassScores scores_;

  // Of the batch placed last.
  PlacedNumbers labels_;     // [B]; none without
  Sequences rows_;           // B of one step, for dropout on the pooled features; with it alone
  SequenceLayout one_step_;  // the same on the host

  Buffer &pooled_, &d_pooled_, &argmax_;  // [B, F]
};

}  // namespace sluice
