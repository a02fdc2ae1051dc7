// The persistent kernels in TF32.
#include "kernels/time_loops/persistent/backward_pass.h"
#include "kernels/time_loops/persistent/forward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_forward<Tf32Product>(const Queue&, const PersistentLaunch&,
                                                  const PersistentForwardArgs*);
template void run_persistent_backward<Tf32Product>(const Queue&, const PersistentLaunch&,
                                                   const PersistentBackwardArgs*);

}  // namespace sluice::cuda
