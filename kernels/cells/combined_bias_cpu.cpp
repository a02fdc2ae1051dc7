#include "kernels/cells/combined_bias.h"

#include "kernels/cells/bias_slots.h"
#include "kernels/device/parallel_for.h"

namespace sluice::cpu {
namespace {

template <class T>
void combine(const CombineBiasesArgs& args) {
  const auto* bias_ih = static_cast<const T*>(args.bias_ih);
  const auto* bias_hh = static_cast<const T*>(args.bias_hh);
  auto* out = static_cast<Wide<T>*>(args.out);
  const BiasSlots slots = bias_slots(spec_of(args.cell));
  for (std::int64_t i = 0; i < slot_count(args.cell) * args.hidden_size; ++i) {
    out[i] = combined_bias(slots, args.hidden_size, bias_ih, bias_hh, i);
  }
}

}  // namespace

void combine_biases(const Queue& queue, const CombineBiasesArgs& args) {
  with_number(args.type,
              [&]<class T>(T) { parallel_for(queue, 1, [&](std::int64_t) { combine<T>(args); }); });
}

}  // namespace sluice::cpu
