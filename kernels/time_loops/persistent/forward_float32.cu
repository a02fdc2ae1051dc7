// The persistent kernels' forward pass in IEEE float32.
#include "kernels/time_loops/persistent/forward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_forward<FloatProduct>(const Queue&, const PersistentFit&,
                                                   const PersistentForwardArgs*);

}  // namespace sluice::cuda
