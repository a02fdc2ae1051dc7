#include "host/tasks/class_scores.h"

#include <algorithm>

#include "kernels/device/device.h"
#include "kernels/losses/loss.h"
#include "kernels/losses/loss_terms.h"

namespace sluice {

static_assert(no_label == kIgnoredLabel);

ClassScores::ClassScores(const HeadContext& context, std::int64_t inputs, std::int64_t outputs)
    : queue_(context.queue),
      dense_{.inputs = inputs, .outputs = outputs, .math = context.precision.math},
      logits_(context.memory.add()),
      d_logits_(context.memory.add()),
      probabilities_(context.memory.add()) {}

void ClassScores::reserve(std::int64_t rows, bool training) {
  const std::size_t bytes = static_cast<std::size_t>(rows * dense_.outputs) * sizeof(float);
  logits_.reserve(queue_, bytes);
  probabilities_.reserve(queue_, bytes);
  if (training) d_logits_.reserve(queue_, bytes);
}

std::size_t ClassScores::workspace_bytes(std::int64_t rows, bool training) const {
  return std::max(cross_entropy_workspace_bytes(rows), training ? dense_.workspace_bytes(rows) : 0);
}

void ClassScores::forward(const Weights& weights, std::int64_t rows, const float* features) {
  rows_ = rows;
  dense_.forward(queue_, weights, rows, features, logits_.as<float>());
}

void ClassScores::loss(const std::int32_t* labels, std::int64_t targets, double* totals,
                       const LossScale* loss_scale, const Workspace& workspace) {
  const auto fill = [&](auto& loss) {
    loss.rows = rows_;
    loss.logits = logits_.data();
    loss.labels = labels;
    loss.loss_scale = loss_scale;
    loss.probabilities = probabilities_.data();
    if (labels == nullptr) return;
    loss.gradient_scale = 1.0 / static_cast<double>(std::max<std::int64_t>(targets, 1));
    loss.d_logits = d_logits_.data();
    loss.totals = totals;
    loss.workspace = workspace.data;
    loss.workspace_bytes = workspace.bytes;
  };
  if (dense_.outputs == 1) {
    SigmoidCrossEntropyArgs loss;
    fill(loss);
    sigmoid_cross_entropy(queue_, loss);
  } else {
    SoftmaxCrossEntropyArgs loss;
    fill(loss);
    loss.classes = dense_.outputs;
    softmax_cross_entropy(queue_, loss);
  }
}

void ClassScores::backward(const Weights& weights, const float* features, float* d_features,
                           const Workspace& workspace) {
  dense_.backward(queue_, weights, rows_, features, d_logits_.as<float>(), d_features, workspace);
}

std::vector<float> ClassScores::download_probabilities() const {
  std::vector<float> values(static_cast<std::size_t>(rows_ * dense_.outputs));
  download(queue_, values.data(), probabilities_.data(), values.size() * sizeof(float));
  synchronize(queue_);
  return values;
}

std::int32_t predicted_class(const float* probabilities, std::int64_t outputs) {
  if (outputs == 1) return probabilities[0] > 0.5f ? 1 : 0;
  return static_cast<std::int32_t>(std::max_element(probabilities, probabilities + outputs) -
                                   probabilities);
}

float predicted_probability(const float* probabilities, std::int64_t outputs) {
  const std::int32_t best = predicted_class(probabilities, outputs);
  if (outputs == 1) return best == 1 ? probabilities[0] : 1.0f - probabilities[0];
  return probabilities[best];
}

}  // namespace sluice
