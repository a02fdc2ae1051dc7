#include "host/tasks/classification/classification_head.h"

#include "kernels/base/error.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/dropout.h"
#include "kernels/sequences/pooling.h"

namespace sluice {

ClassificationHead::ClassificationHead(const HeadContext& context)
    : queue_(context.queue),
      config_(context.config),
      type_(context.precision.data_type),
      scores_(context, context.config.features(), outputs(context.config)),
      pooled_(context.memory.add()),
      d_pooled_(context.memory.add()),
      argmax_(context.memory.add()) {}

void ClassificationHead::reserve(const PassShape& largest) {
  const std::size_t bytes =
      static_cast<std::size_t>(largest.batch * config_.features()) * sizeof(float);
  pooled_.reserve(queue_, bytes);
  argmax_.reserve(queue_, bytes);
  if (largest.training) d_pooled_.reserve(queue_, bytes);
  scores_.reserve(largest.batch, largest.training);
}

std::size_t ClassificationHead::workspace_bytes(const PassShape& largest) const {
  return scores_.workspace_bytes(largest.batch, largest.training);
}

std::size_t ClassificationHead::placed_numbers(const PassShape& largest) const {
  return static_cast<std::size_t>(largest.batch) +
         SequenceLayout::device_bytes(largest.batch, 1, largest.batch) / sizeof(std::int32_t);
}

void ClassificationHead::place(const Batch& batch, bool training, BatchPlacement& placement) {
  const std::int32_t rows = batch.layout.batch();
  require(!training || static_cast<std::int32_t>(batch.labels.size()) == rows,
          "a training batch needs a label for each of its rows");
  labels_ = batch.labels.empty() ? PlacedNumbers() : placement.put(batch.labels);
  if (!training || config_.head_dropout == 0.0) return;
  if (one_step_.batch() != rows) one_step_ = SequenceLayout::equal(1, rows);
  rows_ = placement.put(one_step_);
}

void ClassificationHead::drop(const HeadPass& pass, const Buffer& features) {
  if (pass.dropout == nullptr || config_.head_dropout == 0.0) return;
  DropoutRowsArgs args;
  args.sequences = rows_;
  args.columns = config_.features();
  args.rate = config_.head_dropout;
  args.random = {pass.dropout->seed, head_dropout_stream, pass.dropout->step};
  args.x = features.data();
  args.y = features.data();
  dropout_rows(queue_, args);
}

void ClassificationHead::forward(const HeadPass& pass) {
  const TraceRange range("pooling and head");
  PoolForwardArgs pool;
  pool.type = type_;
  pool.pooling = config_.pooling;
  pool.sequences = pass.sequences;
  pool.features = config_.features();
  pool.directions = config_.recurrent().directions();
  pool.y = pass.y;
  pool.out = pooled_.data();
  pool.argmax = argmax_.as<std::int32_t>();
  pool_forward(queue_, pool);
  drop(pass, pooled_);
  scores_.forward(pass.weights, pass.sequences.batch, pooled_.as<float>());
}

void ClassificationHead::loss(const HeadPass& pass, double* totals, const LossScale* loss_scale) {
  const TraceRange range("loss");
  scores_.loss(labels_.data, labels_.count, totals, loss_scale, pass.workspace);
}

void ClassificationHead::backward(const HeadPass& pass) {
  scores_.backward(pass.weights, pooled_.as<float>(), d_pooled_.as<float>(), pass.workspace);
  drop(pass, d_pooled_);

  PoolBackwardArgs pool;
  pool.type = type_;
  pool.pooling = config_.pooling;
  pool.sequences = pass.sequences;
  pool.features = config_.features();
  pool.directions = config_.recurrent().directions();
  pool.d_out = d_pooled_.data();
  pool.argmax = argmax_.as<std::int32_t>();
  pool.dy = pass.dy;
  pool_backward(queue_, pool);
}

}  // namespace sluice
