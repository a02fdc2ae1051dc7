// The persistent kernels' forward pass in float16.
#include "kernels/persistent/forward_pass.h"
#include "kernels/persistent/products.h"

namespace sluice::cuda {

template void run_persistent_forward<Float16Product>(const Queue&, const PersistentRequest&, const PersistentFit&,
                                           const PersistentForwardArgs*);

}  // namespace sluice::cuda
