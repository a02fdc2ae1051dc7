// Cross-entropy: a thread a row for one logit, a block a row for a softmax; one block then adds the
// rows' losses up.
#include "kernels/losses/loss.h"

#include "kernels/base/exceeds.h"
#include "kernels/device/block_sum.h"
#include "kernels/device/row_grid.h"
#include "kernels/losses/loss_terms.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 256;

template <class T>
__global__ void sigmoid_kernel(std::int64_t rows, const T* logits, const std::int32_t* labels,
                               T gradient_scale, const LossScale* loss_scale, T* d_logits,
                               T* probabilities, RowLoss* losses) {
  const T scale = scaled_by(gradient_scale, loss_scale);
  for (std::int64_t i = grid_index(); i < rows; i += grid_stride()) {
    const T x = logits[i];
    if (losses != nullptr) losses[i] = sigmoid_row_loss(x, labels[i]);
    if (probabilities != nullptr) probabilities[i] = sigmoid(x);
    if (d_logits != nullptr) d_logits[i] = sigmoid_loss_slope(x, labels[i]) * scale;
  }
}

// The largest of a block's `value`s with its class, the first of equals; given to every thread.
template <class T>
__device__ __forceinline__ void block_max(T& value, std::int64_t& index, T* values,
                                          std::int64_t* indices) {
  values[threadIdx.x] = value;
  indices[threadIdx.x] = index;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      const T mine = values[threadIdx.x], other = values[threadIdx.x + half];
      const bool earlier = indices[threadIdx.x + half] < indices[threadIdx.x];
      if (exceeds(other, mine) || (earlier && !exceeds(mine, other))) {
        values[threadIdx.x] = other;
        indices[threadIdx.x] = indices[threadIdx.x + half];
      }
    }
    __syncthreads();
  }
  value = values[0];
  index = indices[0];
  __syncthreads();
}

template <class T>
__global__ void softmax_kernel(std::int64_t rows, std::int64_t classes, const T* all_logits,
                               const std::int32_t* labels, T gradient_scale,
                               const LossScale* loss_scale, T* d_logits, T* probabilities,
                               RowLoss* losses) {
  const T scale = scaled_by(gradient_scale, loss_scale);
  SLUICE_SHARED_ARRAY(T, numbers, [kThreads]);
  SLUICE_SHARED_ARRAY(std::int64_t, indices, [kThreads]);
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* logits = all_logits + row * classes;
    // A thread without a class of its own repeats the last one.
    std::int64_t best = threadIdx.x < classes ? threadIdx.x : classes - 1;
    for (std::int64_t c = best + blockDim.x; c < classes; c += blockDim.x) {
      if (exceeds(logits[c], logits[best])) best = c;
    }
    T largest = logits[best];
    block_max(largest, best, numbers, indices);
    T sum = T(0);
    for (std::int64_t c = threadIdx.x; c < classes; c += blockDim.x) {
      sum += exponential(logits[c] - largest);
    }
    sum = block_sum(sum, numbers);
    if (losses != nullptr && threadIdx.x == 0) {
      losses[row] = softmax_row_loss(logits, classes, largest, sum, best, labels[row]);
    }
    if (d_logits == nullptr && probabilities == nullptr) continue;
    for (std::int64_t c = threadIdx.x; c < classes; c += blockDim.x) {
      const T p = exponential(logits[c] - largest) / sum;
      if (probabilities != nullptr) probabilities[row * classes + c] = p;
      if (d_logits != nullptr) {
        d_logits[row * classes + c] = softmax_loss_slope(p, c, classes, labels[row]) * scale;
      }
    }
  }
}

__global__ void totals_kernel(std::int64_t rows, const RowLoss* losses, double* totals) {
  SLUICE_SHARED_ARRAY(double, sums, [kThreads]);
  double loss = 0.0, correct = 0.0, counted = 0.0;
  for (std::int64_t i = threadIdx.x; i < rows; i += blockDim.x) {
    loss += losses[i].loss;
    correct += losses[i].correct;
    counted += losses[i].counted;
  }
  loss = block_sum(loss, sums);
  correct = block_sum(correct, sums);
  counted = block_sum(counted, sums);
  if (threadIdx.x == 0) {
    totals[0] += loss;
    totals[1] += correct;
    totals[2] += counted;
  }
}

template <class Args>
RowLoss* losses_of(const Args& args) {
  return args.totals == nullptr ? nullptr : static_cast<RowLoss*>(args.workspace);
}

template <class Args>
void add_to_totals(const Queue& queue, const Args& args) {
  if (args.totals == nullptr) return;
  launch(totals_kernel, {.grid = {1, 1, 1}, .block = {kThreads, 1, 1}, .stream = queue.stream},
         args.rows, static_cast<const RowLoss*>(args.workspace), args.totals);
}

template <class T>
void run(const Queue& queue, const SigmoidCrossEntropyArgs& args) {
  launch(sigmoid_kernel<T>,
         {.grid = grid_for(args.rows, kThreads), .block = {kThreads, 1, 1}, .stream = queue.stream},
         args.rows, static_cast<const T*>(args.logits), args.labels,
         static_cast<T>(gradient_scale_of(args.gradient_scale, args.rows)), args.loss_scale,
         static_cast<T*>(args.d_logits), static_cast<T*>(args.probabilities), losses_of(args));
  add_to_totals(queue, args);
}

template <class T>
void run(const Queue& queue, const SoftmaxCrossEntropyArgs& args) {
  launch(softmax_kernel<T>, row_grid(queue, args.rows, args.classes), args.rows, args.classes,
         static_cast<const T*>(args.logits), args.labels,
         static_cast<T>(gradient_scale_of(args.gradient_scale, args.rows)), args.loss_scale,
         static_cast<T*>(args.d_logits), static_cast<T*>(args.probabilities), losses_of(args));
  add_to_totals(queue, args);
}

}  // namespace

void sigmoid_cross_entropy(const Queue& queue, const SigmoidCrossEntropyArgs& args) {
  args.type == DataType::float64 ? run<double>(queue, args) : run<float>(queue, args);
}

void softmax_cross_entropy(const Queue& queue, const SoftmaxCrossEntropyArgs& args) {
  args.type == DataType::float64 ? run<double>(queue, args) : run<float>(queue, args);
}

}  // namespace sluice::cuda
