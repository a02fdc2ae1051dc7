// The persistent kernels' backward pass in TF32.
#include "kernels/time_loops/persistent/backward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_backward<Tf32Product>(const Queue&, const PersistentFit&,
                                                   const PersistentBackwardArgs*);

}  // namespace sluice::cuda
