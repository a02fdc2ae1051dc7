#include "host/training/gradient_clipping.h"

#include <cmath>
#include <string>

#include "kernels/arrays/norm.h"
#include "kernels/base/error.h"
#include "kernels/optimizers/clip.h"

namespace sluice {

void ClippingConfig::validate() const {
  const auto limit = [](double number, const char* option) {
    require(number >= 0.0 && std::isfinite(number),
            std::string(option) + " must be 0 (off) or more, got " + std::to_string(number));
  };
  limit(value, "clip-value");
  limit(tensor_norm, "clip-tensor-norm");
  limit(global_norm, "clip-norm");
}

GradientClipping::GradientClipping(const Queue& queue, const ClippingConfig& config,
                                   const ParameterLayout& layout)
    : queue_(queue), config_(config), layout_(layout) {
  config.validate();
  if (config.tensor_norm > 0.0 || config.global_norm > 0.0) {
    squared_sum_ = Buffer(queue, sizeof(double));
    workspace_ = Buffer(queue, sum_of_squares_workspace_bytes(layout.size));
  }
}

void GradientClipping::apply(float* gradients) const {
  if (config_.value > 0.0) {
    ClipByValueArgs args;
    args.count = layout_.size;
    args.x = gradients;
    args.limit = config_.value;
    clip_by_value(queue_, args);
  }
  if (config_.tensor_norm > 0.0) {
    for (const ParameterView& view : layout_.views) {
      ClipByNormArgs args;
      args.count = view.size();
      args.x = gradients + view.offset;
      args.limit = config_.tensor_norm;
      args.squared_sum = squared_sum_.as<double>();
      args.workspace = workspace_.data();
      args.workspace_bytes = workspace_.bytes();
      clip_by_norm(queue_, args);
    }
  }
  if (config_.global_norm > 0.0) {
    SumOfSquaresArgs sum;
    sum.count = layout_.size;  // the gaps between the parts hold zeros
    sum.x = gradients;
    sum.out = squared_sum_.as<double>();
    sum.workspace = workspace_.data();
    sum.workspace_bytes = workspace_.bytes();
    sum_of_squares(queue_, sum);
    ClipByGlobalNormArgs args;
    args.count = layout_.size;
    args.x = gradients;
    args.squared_sum = squared_sum_.as<double>();
    args.limit = config_.global_norm;
    clip_by_global_norm(queue_, args);
  }
}

}  // namespace sluice
