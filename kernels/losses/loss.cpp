#include "kernels/losses/loss.h"

#include <limits>

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"
#include "kernels/losses/loss_terms.h"

namespace sluice {
namespace {

template <class Args>
bool has_work(const char* operation, const Args& args) {
  const std::size_t needed = cross_entropy_workspace_bytes(args.rows);
  check_wide(operation, args.type);
  require(args.gradient_scale >= 0.0 && args.gradient_scale <= std::numeric_limits<double>::max(),
          std::string(operation) +
              ": gradient_scale: expected a finite number, 0 for 1/rows, got " +
              std::to_string(args.gradient_scale));
  if (args.rows == 0) return false;
  check_pointer(operation, "logits", args.logits);
  if (args.d_logits != nullptr || args.totals != nullptr) {
    check_pointer(operation, "labels", args.labels);
  }
  if (args.totals != nullptr) {
    check_workspace(operation, args.workspace, args.workspace_bytes, needed);
  }
  return true;
}

}  // namespace

void sigmoid_cross_entropy(const Queue& queue, const SigmoidCrossEntropyArgs& args) {
  if (has_work("sigmoid_cross_entropy", args)) SLUICE_DISPATCH(sigmoid_cross_entropy, queue, args);
}

void softmax_cross_entropy(const Queue& queue, const SoftmaxCrossEntropyArgs& args) {
  check_least("softmax_cross_entropy", "classes", args.classes, 1);
  if (has_work("softmax_cross_entropy", args)) SLUICE_DISPATCH(softmax_cross_entropy, queue, args);
}

std::size_t cross_entropy_workspace_bytes(std::int64_t rows) {
  check_least("cross_entropy", "rows", rows);
  return rows * sizeof(RowLoss);
}

}  // namespace sluice
