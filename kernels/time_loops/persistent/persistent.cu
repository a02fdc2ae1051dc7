// The launches of kernels/time_loops/persistent/persistent.h: by product, then (launch_choice.h) by
// cell and kind.
#include "kernels/time_loops/persistent/persistent_launch.h"

#include "kernels/device/device.h"
#include "kernels/time_loops/persistent/geometry.h"
#include "kernels/time_loops/persistent/products.h"
#include "kernels/time_loops/persistent/units.h"

namespace sluice::cuda {
namespace {

/// The flags of the grid's blocks say 0 rounds before each launch.
template <class Args>
void lower_flags(const Queue& queue, const PersistentLaunch& fit, const Args* directions) {
  if (fit.request.kind != PersistentKind::grid) return;
  for (int d = 0; d < fit.request.directions; ++d) {
    sluice::fill_zero(queue, directions[d].exchange,
                      persistent::flag_bytes(fit.groups, fit.blocks));
  }
}

}  // namespace

void persistent_forward(const Queue& queue, const PersistentLaunch& fit,
                        const PersistentForwardArgs* directions) {
  if (fit.kernel.matrix == PersistentMatrix::none) {
    return run_units_forward(queue, fit, directions);
  }
  lower_flags(queue, fit, directions);
  with_product(fit, [&]<class Product>(Product) {
    run_persistent_forward<Product>(queue, fit, directions);
  });
}

void persistent_backward(const Queue& queue, const PersistentLaunch& fit,
                         const PersistentBackwardArgs* directions) {
  if (fit.kernel.matrix == PersistentMatrix::none) {
    return run_units_backward(queue, fit, directions);
  }
  lower_flags(queue, fit, directions);
  with_product(fit, [&]<class Product>(Product) {
    run_persistent_backward<Product>(queue, fit, directions);
  });
}

}  // namespace sluice::cuda
