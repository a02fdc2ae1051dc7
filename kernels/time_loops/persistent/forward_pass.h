// persistent_forward for one kind of arithmetic. Only for .cu files: each of the four that include
// this one instantiates it once, so that they compile side by side.
#pragma once

#include "kernels/time_loops/persistent/launch_choice.h"

namespace sluice::cuda {

template <class Product>
void run_persistent_forward(const Queue& queue, const PersistentLaunch& fit,
                            const PersistentForwardArgs* args) {
  using Number = typename Product::Number;
  ForwardLaunch<Number> launch{};
  fill(launch, fit, args[0]);
  launch.training = args[0].recurrence.training;
  for (int d = 0; d < fit.request.directions; ++d) {
    const RecurrenceForwardArgs& from = args[d].recurrence;
    ForwardDirection<Number>& to = launch.direction[d];
    fill(to, fit, args[d], false);
    to.gates = static_cast<Number*>(from.gates);
    to.first_packed_row = from.sequences.host_offsets[from.begin];
    to.inputs = static_cast<const Number*>(args[d].inputs);
    to.input_index = args[d].input_index;
    to.bias = static_cast<const float*>(from.bias);
    to.h_state = static_cast<float*>(from.h_state);
    to.c_state = static_cast<float*>(from.c_state);
    to.c = static_cast<Number*>(from.c);
    to.h = static_cast<Number*>(from.h);
    to.ldh = from.ldh;
    to.unit_weights = static_cast<const Number*>(from.unit_weights);
  }
  with_variant<Product>(fit, [&]<class V>(V) {
    constexpr int registers = geometry::most_registers(V::choice, RecurrentPass::forward);
    if constexpr (registers > 0) {
      launch_groups(queue, fit,
                    forward_kernel_within<typename V::Cell, Product, typename V::Tiling,
                                          typename V::Exchange, registers>,
                    launch);
    } else {
      launch_groups(queue, fit,
                    forward_kernel<typename V::Cell, Product, typename V::Tiling,
                                   typename V::Exchange, V::options>,
                    launch);
    }
  });
}

}  // namespace sluice::cuda
