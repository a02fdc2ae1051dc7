// Pooling: a thread takes one feature of one row through its steps; backward one feature of one
// packed row.
#include "kernels/sequences/pooling.h"

#include "kernels/base/exceeds.h"
#include "kernels/base/number.h"
#include "kernels/device/row_grid.h"

namespace sluice::cuda {
namespace {

// One sorted row's steps of one feature.
template <class T>
struct Steps {
  const T* y;  // the feature in packed row `row`, which is step 0
  const std::int32_t* offsets;
  std::int64_t features;
  std::int32_t length;

  __device__ __forceinline__ Wide<T> at(std::int32_t t) const {
    return widen(y[offsets[t] * features]);
  }
};

template <class T>
__device__ __forceinline__ Wide<T> mean(const Steps<T>& steps) {
  Wide<T> total = Wide<T>(0);
  for (std::int32_t begin = 0; begin < steps.length; begin += kMeanChunk) {
    const std::int32_t end = begin + kMeanChunk < steps.length ? begin + kMeanChunk : steps.length;
    Wide<T> sum = Wide<T>(0);
    for (std::int32_t t = begin; t < end; ++t) sum += steps.at(t);
    total += sum;
  }
  return total / static_cast<Wide<T>>(steps.length);
}

template <class T>
__device__ __forceinline__ Wide<T> max(const Steps<T>& steps, std::int32_t& best_step) {
  Wide<T> best = steps.at(0);
  best_step = 0;
  for (std::int32_t t = 1; t < steps.length; ++t) {
    const Wide<T> x = steps.at(t);
    if (exceeds(x, best)) {
      best = x;
      best_step = t;
    }
  }
  return best;
}

template <class T>
__global__ void forward_kernel(Pooling pooling, Sequences sequences, std::int64_t features,
                               int directions, const T* y, Wide<T>* out, std::int32_t* argmax) {
  const std::int64_t forward_features = features / directions;
  for_row_elements(sequences.batch, features, [=](std::int64_t row, std::int64_t feature) {
    const Steps<T> steps = {y + row * features + feature, sequences.offsets, features,
                            sequences.lengths[row]};
    Wide<T>& result = out[row * features + feature];
    switch (pooling) {
      case Pooling::last:
        result = steps.at(feature < forward_features ? steps.length - 1 : 0);
        break;
      case Pooling::mean: result = mean(steps); break;
      case Pooling::max: result = max(steps, argmax[row * features + feature]); break;
    }
  });
}

template <class T>
__global__ void backward_kernel(Pooling pooling, Sequences sequences, std::int64_t features,
                                int directions, const Wide<T>* d_out, const std::int32_t* argmax,
                                T* dy) {
  const std::int64_t forward_features = features / directions;
  for_row_elements(sequences.rows, features, [=](std::int64_t packed_row, std::int64_t feature) {
    const std::int32_t step = sequences.step_of_row[packed_row];
    const std::int64_t row = packed_row - sequences.offsets[step];
    const std::int32_t length = sequences.lengths[row];
    const Wide<T> gradient = d_out[row * features + feature];
    Wide<T> result = Wide<T>(0);
    switch (pooling) {
      case Pooling::last:
        if (step == (feature < forward_features ? length - 1 : 0)) result = gradient;
        break;
      case Pooling::mean: result = gradient / static_cast<Wide<T>>(length); break;
      case Pooling::max:
        if (argmax[row * features + feature] == step) result = gradient;
        break;
    }
    dy[packed_row * features + feature] = narrow<T>(result);
  });
}

template <class T>
void forward(const Queue& queue, const PoolForwardArgs& args) {
  launch(forward_kernel<T>, row_grid(queue, args.sequences.batch, args.features), args.pooling,
         args.sequences, args.features, args.directions, static_cast<const T*>(args.y),
         static_cast<Wide<T>*>(args.out), args.argmax);
}

template <class T>
void backward(const Queue& queue, const PoolBackwardArgs& args) {
  launch(backward_kernel<T>, row_grid(queue, args.sequences.rows, args.features), args.pooling,
         args.sequences, args.features, args.directions, static_cast<const Wide<T>*>(args.d_out),
         args.argmax, static_cast<T*>(args.dy));
}

}  // namespace

void pool_forward(const Queue& queue, const PoolForwardArgs& args) {
  with_number(args.type, [&]<class T>(T) { forward<T>(queue, args); });
}

void pool_backward(const Queue& queue, const PoolBackwardArgs& args) {
  with_number(args.type, [&]<class T>(T) { backward<T>(queue, args); });
}

}  // namespace sluice::cuda
