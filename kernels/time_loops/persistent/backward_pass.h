// persistent_backward for one kind of arithmetic, as forward_pass.h.
#pragma once

#include "kernels/time_loops/persistent/launch_choice.h"
#include "kernels/time_loops/persistent/scatter_kernel.h"

namespace sluice::cuda {

template <class Product>
void run_persistent_backward(const Queue& queue, const PersistentLaunch& fit,
                             const PersistentBackwardArgs* args) {
  using Number = typename Product::Number;
  BackwardLaunch<Number> launch{};
  fill(launch, fit, args[0]);
  for (int d = 0; d < fit.request.directions; ++d) {
    const RecurrenceBackwardArgs& from = args[d].recurrence;
    BackwardDirection<Number>& to = launch.direction[d];
    fill(to, fit, args[d], true);
    to.gates = static_cast<Number*>(from.gates);
    to.h_initial = static_cast<const float*>(from.h_initial);
    to.c_initial = static_cast<const float*>(from.c_initial);
    to.h = static_cast<const Number*>(from.h);
    to.ldh = from.ldh;
    to.unit_weights = static_cast<const Number*>(from.unit_weights);
    to.c = static_cast<const Number*>(from.c);
    to.dy = static_cast<const Number*>(from.dy);
    to.lddy = from.lddy;
    to.dh_state = static_cast<float*>(from.dh_state);
    to.dc_state = static_cast<float*>(from.dc_state);
  }
  with_variant<Product>(fit, [&]<class V>(V) {
    if constexpr (V::scatters) {
      launch_groups(
          queue, fit,
          scatter_kernel<typename V::Cell, Product, typename V::ScatterTiling, V::options>, launch);
    } else {
      constexpr int registers = geometry::most_registers(V::choice, RecurrentPass::backward);
      if constexpr (registers > 0) {
        launch_groups(queue, fit,
                      backward_kernel_within<typename V::Cell, Product, typename V::Tiling,
                                             typename V::Exchange, registers>,
                      launch);
      } else {
        launch_groups(queue, fit,
                      backward_kernel<typename V::Cell, Product, typename V::Tiling,
                                      typename V::Exchange, V::options>,
                      launch);
      }
    }
  });
}

}  // namespace sluice::cuda
