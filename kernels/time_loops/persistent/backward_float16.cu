// The persistent kernels' backward pass in float16.
#include "kernels/time_loops/persistent/backward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_backward<Float16Product>(const Queue&, const PersistentFit&,
                                                      const PersistentBackwardArgs*);

}  // namespace sluice::cuda
