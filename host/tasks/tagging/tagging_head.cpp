#include "host/tasks/tagging/tagging_head.h"

#include <algorithm>

#include "kernels/arrays/convert.h"
#include "kernels/base/error.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/dropout.h"

namespace sluice {

TaggingHead::TaggingHead(const HeadContext& context)
    : queue_(context.queue),
      config_(context.config),
      type_(context.precision.data_type),
      scores_(context, context.config.features(), context.config.classes),
      features_(context.memory.add()),
      d_features_(context.memory.add()) {}

void TaggingHead::reserve(const PassShape& largest) {
  const std::size_t bytes =
      static_cast<std::size_t>(largest.rows * config_.features()) * sizeof(float);
  const bool may_drop = largest.training && config_.head_dropout > 0.0;
  if (converts() || may_drop) features_.reserve(queue_, bytes);
  if (converts() && largest.training) d_features_.reserve(queue_, bytes);
  scores_.reserve(largest.rows, largest.training);
}

std::size_t TaggingHead::workspace_bytes(const PassShape& largest) const {
  return scores_.workspace_bytes(largest.rows, largest.training);
}

std::size_t TaggingHead::placed_numbers(const PassShape& largest) const {
  return static_cast<std::size_t>(largest.rows);
}

void TaggingHead::place(const Batch& batch, bool training, BatchPlacement& placement) {
  const std::vector<std::int32_t>& labels = batch.step_labels;
  require(!training || static_cast<std::int64_t>(labels.size()) == batch.layout.rows(),
          "a training batch needs a label, or no_label, for each of its steps");
  labels_ = labels.empty() ? PlacedNumbers() : placement.put(labels);
  const auto unlabelled = std::count(labels.begin(), labels.end(), no_label);
  targets_ = placement.put(labels_.count - static_cast<std::int64_t>(unlabelled));
}

// In float32; on the gradient it is its own backward pass.
void TaggingHead::drop(const HeadPass& pass, const void* from, void* to) {
  DropoutRowsArgs args;
  args.sequences = pass.sequences;
  args.columns = config_.features();
  args.rate = config_.head_dropout;
  args.random = {pass.dropout->seed, head_dropout_stream, pass.dropout->step};
  args.x = from;
  args.y = to;
  dropout_rows(queue_, args);
}

const float* TaggingHead::features(const HeadPass& pass) const {
  return converts() || drops(pass) ? features_.as<float>() : static_cast<const float*>(pass.y);
}

void TaggingHead::forward(const HeadPass& pass) {
  const TraceRange range("head");
  const std::int64_t rows = pass.sequences.rows;
  if (converts()) {
    convert(queue_, {.count = rows * config_.features(),
                     .from_type = type_,
                     .from = pass.y,
                     .to = features_.data()});
  }
  if (drops(pass)) drop(pass, converts() ? features_.data() : pass.y, features_.data());
  scores_.forward(pass.weights, rows, features(pass));
}

void TaggingHead::loss(const HeadPass& pass, double* totals, const LossScale* loss_scale) {
  const TraceRange range("loss");
  scores_.loss(labels_.data, targets_, totals, loss_scale, pass.workspace);
}

void TaggingHead::backward(const HeadPass& pass) {
  float* const d_features = converts() ? d_features_.as<float>() : static_cast<float*>(pass.dy);
  scores_.backward(pass.weights, features(pass), d_features, pass.workspace);
  if (drops(pass)) drop(pass, d_features, d_features);
  if (!converts()) return;
  convert(queue_, {.count = pass.sequences.rows * config_.features(),
                   .from = d_features,
                   .to_type = type_,
                   .to = pass.dy});
}

}  // namespace sluice
