// The persistent kernels in float16.
#include "kernels/time_loops/persistent/backward_pass.h"
#include "kernels/time_loops/persistent/forward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_forward<Float16Product>(const Queue&, const PersistentLaunch&,
                                                     const PersistentForwardArgs*);
template void run_persistent_backward<Float16Product>(const Queue&, const PersistentLaunch&,
                                                      const PersistentBackwardArgs*);

}  // namespace sluice::cuda
