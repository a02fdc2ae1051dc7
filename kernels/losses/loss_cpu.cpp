#include "kernels/losses/loss.h"

#include <algorithm>

#include "kernels/base/exceeds.h"
#include "kernels/device/tiles.h"
#include "kernels/losses/loss_terms.h"

namespace sluice::cpu {
namespace {

// In the order of the rows.
void add_to_totals(const RowLoss* rows, std::int64_t count, double* totals) {
  double loss = 0.0, correct = 0.0, counted = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    loss += rows[i].loss;
    correct += rows[i].correct;
    counted += rows[i].counted;
  }
  totals[0] += loss;
  totals[1] += correct;
  totals[2] += counted;
}

template <class T>
void sigmoid_rows(const Queue& queue, const SigmoidCrossEntropyArgs& args) {
  const auto* logits = static_cast<const T*>(args.logits);
  auto* d_logits = static_cast<T*>(args.d_logits);
  auto* probabilities = static_cast<T*>(args.probabilities);
  auto* losses = args.totals == nullptr ? nullptr : static_cast<RowLoss*>(args.workspace);
  const T scale =
      scaled_by(static_cast<T>(gradient_scale_of(args.gradient_scale, args.rows)), args.loss_scale);
  parallel_tiles(queue, args.rows, 2048, [&](std::int64_t i, std::int64_t end) {
    for (; i < end; ++i) {
      const T x = logits[i];
      if (losses != nullptr) losses[i] = sigmoid_row_loss(x, args.labels[i]);
      if (probabilities != nullptr) probabilities[i] = sigmoid(x);
      if (d_logits != nullptr) d_logits[i] = sigmoid_loss_slope(x, args.labels[i]) * scale;
    }
  });
  if (losses != nullptr) add_to_totals(losses, args.rows, args.totals);
}

template <class T>
void softmax_row(const SoftmaxCrossEntropyArgs& args, std::int64_t row, T scale, RowLoss* losses) {
  const std::int64_t classes = args.classes;
  const T* logits = static_cast<const T*>(args.logits) + row * classes;
  std::int64_t best = 0;
  for (std::int64_t c = 1; c < classes; ++c) {
    if (exceeds(logits[c], logits[best])) best = c;
  }
  const T largest = logits[best];
  double sum = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) {
    sum += static_cast<double>(exponential(logits[c] - largest));
  }
  if (losses != nullptr) {
    losses[row] =
        softmax_row_loss(logits, classes, largest, static_cast<T>(sum), best, args.labels[row]);
  }
  if (args.d_logits == nullptr && args.probabilities == nullptr) return;
  for (std::int64_t c = 0; c < classes; ++c) {
    const T p = exponential(logits[c] - largest) / static_cast<T>(sum);
    if (args.probabilities != nullptr) static_cast<T*>(args.probabilities)[row * classes + c] = p;
    if (args.d_logits != nullptr) {
      static_cast<T*>(args.d_logits)[row * classes + c] =
          softmax_loss_slope(p, c, classes, args.labels[row]) * scale;
    }
  }
}

template <class T>
void softmax_rows(const Queue& queue, const SoftmaxCrossEntropyArgs& args) {
  auto* losses = args.totals == nullptr ? nullptr : static_cast<RowLoss*>(args.workspace);
  const T scale =
      scaled_by(static_cast<T>(gradient_scale_of(args.gradient_scale, args.rows)), args.loss_scale);
  const std::int64_t tile = std::max<std::int64_t>(1, 2048 / args.classes);
  parallel_tiles(queue, args.rows, tile, [&](std::int64_t row, std::int64_t end) {
    for (; row < end; ++row) softmax_row(args, row, scale, losses);
  });
  if (losses != nullptr) add_to_totals(losses, args.rows, args.totals);
}

}  // namespace

void sigmoid_cross_entropy(const Queue& queue, const SigmoidCrossEntropyArgs& args) {
  args.type == DataType::float64 ? sigmoid_rows<double>(queue, args)
                                 : sigmoid_rows<float>(queue, args);
}

void softmax_cross_entropy(const Queue& queue, const SoftmaxCrossEntropyArgs& args) {
  args.type == DataType::float64 ? softmax_rows<double>(queue, args)
                                 : softmax_rows<float>(queue, args);
}

}  // namespace sluice::cpu
