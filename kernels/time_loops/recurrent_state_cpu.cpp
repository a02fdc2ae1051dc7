#include <algorithm>

#include "kernels/device/parallel_for.h"
#include "kernels/time_loops/recurrent_state_element.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kPerTask = 16384;

// Tasks of about kPerTask numbers, whole rows of `columns` each.
template <class Body>
void for_rows(const Queue& queue, std::int64_t rows, std::int64_t columns, Body&& body) {
  const std::int64_t size =
      std::max<std::int64_t>(1, kPerTask / std::max<std::int64_t>(1, columns));
  parallel_for(queue, (rows + size - 1) / size, [&](std::int64_t task) {
    for (std::int64_t i = task * size; i < std::min(rows, (task + 1) * size); ++i) body(i);
  });
}

template <class T>
void mask_state_of(const Queue& queue, const MaskStateArgs& args) {
  const std::int64_t h = args.hidden_size;
  for_rows(queue, args.planes * args.batch, h, [&](std::int64_t i) {
    T* to = static_cast<T*>(args.out) + i * h;
    for (std::int64_t u = 0; u < h; ++u) to[u] = masked_state<T>(args, i * h + u, args.batch * h);
  });
}

template <class T>
void unmask_gradient_of(const Queue& queue, const UnmaskGradientArgs& args) {
  const std::int64_t h = args.hidden_size;
  for_rows(queue, args.rows, h, [&](std::int64_t b) {
    Wide<T>* to = static_cast<Wide<T>*>(args.dh) + b * h;
    for (std::int64_t u = 0; u < h; ++u) to[u] += unmasked_sum<T>(args, b * h + u, args.batch * h);
  });
}

template <class T>
void previous_states_of(const Queue& queue, const PreviousStatesArgs& args) {
  const std::int64_t h = args.hidden_size;
  for_rows(queue, args.rows, h, [&](std::int64_t i) {
    T* to = static_cast<T*>(args.out) + i * h;
    for (std::int64_t u = 0; u < h; ++u) to[u] = previous_state<T>(args, i, u);
  });
}

}  // namespace

void mask_state(const Queue& queue, const MaskStateArgs& args) {
  with_number(args.type, [&]<class T>(T) { mask_state_of<T>(queue, args); });
}

void unmask_gradient(const Queue& queue, const UnmaskGradientArgs& args) {
  with_number(args.type, [&]<class T>(T) { unmask_gradient_of<T>(queue, args); });
}

void previous_states(const Queue& queue, const PreviousStatesArgs& args) {
  with_number(args.type, [&]<class T>(T) { previous_states_of<T>(queue, args); });
}

}  // namespace sluice::cpu
