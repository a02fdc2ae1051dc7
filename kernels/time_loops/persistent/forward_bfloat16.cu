// The persistent kernels' forward pass in bfloat16.
#include "kernels/time_loops/persistent/forward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_forward<BFloat16Product>(const Queue&, const PersistentFit&,
                                                      const PersistentForwardArgs*);

}  // namespace sluice::cuda
