// The persistent kernels in IEEE float32.
#include "kernels/time_loops/persistent/backward_pass.h"
#include "kernels/time_loops/persistent/forward_pass.h"
#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_forward<FloatProduct>(const Queue&, const PersistentLaunch&,
                                                   const PersistentForwardArgs*);
template void run_persistent_backward<FloatProduct>(const Queue&, const PersistentLaunch&,
                                                    const PersistentBackwardArgs*);

}  // namespace sluice::cuda
