// An answer for each step: dropout, classes.
#pragma once

#include "host/tasks/class_scores.h"
#include "host/tasks/head.h"

namespace sluice {

/// Targets: Batch::step_labels, but those that are no_label. The classes are a softmax's, of two
/// too. Dropout's mask stays the same over a row's steps.
class TaggingHead : public Head {
 public:
  explicit TaggingHead(const HeadContext& context);

  void reserve(const PassShape& largest) override;
  std::size_t workspace_bytes(const PassShape& largest) const override;
  std::size_t placed_numbers(const PassShape& largest) const override;
  void place(const Batch& batch, bool training, BatchPlacement& placement) override;
  void forward(const HeadPass& pass) override;
  void loss(const HeadPass& pass, double* totals, const LossScale* loss_scale) override;
  void backward(const HeadPass& pass) override;
  std::int64_t targets() const override { return targets_; }
  /// [N, C] probabilities, packed.
  std::vector<float> download_outputs() const override { return scores_.download_probabilities(); }

 private:
  /// Whether the network's y is of another type than the scores take.
  bool converts() const { return is_16_bit(type_); }
  bool drops(const HeadPass& pass) const {
    return pass.dropout != nullptr && config_.head_dropout > 0.0;
  }
  void drop(const HeadPass& pass, const void* from, void* to);
  const float* features(const HeadPass& pass) const;

  Queue queue_;
  ModelConfig config_;
  DataType type_;
  ClassScores scores_;

  // Of the batch placed last.
  PlacedNumbers labels_;  // [N]; none without
  std::int64_t targets_ = 0;

  Buffer& features_;    // [N, F] float32; empty where y is read as it is
  Buffer& d_features_;  // [N, F] float32; empty where dy takes it
};

}  // namespace sluice
