// The two biases made one: a thread a number.
#include "kernels/cells/combined_bias.h"

#include "kernels/cells/bias_slots.h"
#include "kernels/device/launch.h"

namespace sluice::cuda {
namespace {

template <class T>
__global__ void combine_kernel(BiasSlots slots, std::int64_t count, std::int64_t hidden_size,
                               const T* bias_ih, const T* bias_hh, Wide<T>* out) {
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) {
    out[i] = combined_bias(slots, hidden_size, bias_ih, bias_hh, i);
  }
}

template <class T>
void combine(const Queue& queue, const CombineBiasesArgs& args) {
  const std::int64_t count = slot_count(args.cell) * args.hidden_size;
  launch(combine_kernel<T>,
         {.grid = grid_for(count, 256), .block = {256, 1, 1}, .stream = queue.stream},
         bias_slots(spec_of(args.cell)), count, args.hidden_size,
         static_cast<const T*>(args.bias_ih), static_cast<const T*>(args.bias_hh),
         static_cast<Wide<T>*>(args.out));
}

}  // namespace

void combine_biases(const Queue& queue, const CombineBiasesArgs& args) {
  with_number(args.type, [&]<class T>(T) { combine<T>(queue, args); });
}

}  // namespace sluice::cuda
