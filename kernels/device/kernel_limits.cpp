#ifdef SLUICE_WITH_CUDA
#include "kernels/device/kernel_limits.h"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "kernels/base/error.h"
#include "kernels/device/cuda_check.h"

namespace sluice::cuda {
namespace {

constexpr std::size_t default_shared_bytes = 48 * 1024;
constexpr unsigned portable_cluster_blocks = 8;

struct Limits {
  std::size_t shared_bytes = default_shared_bytes;
  unsigned cluster_blocks = portable_cluster_blocks;
};

/// Of every kernel whose limits were raised, by kernel and device.
struct RaisedLimits {
  std::mutex mutex;
  std::map<std::pair<const void*, int>, Limits> of;
};

RaisedLimits& raised_limits() {
  static RaisedLimits& limits = *new RaisedLimits;  // launches may come until the process ends
  return limits;
}

std::size_t raise_shared_memory(const void* kernel, int device, std::size_t wanted) {
  int of_block = 0;
  check(cudaDeviceGetAttribute(&of_block, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
        "asking for the device's shared memory");
  cudaFuncAttributes attributes;
  check(cudaFuncGetAttributes(&attributes, kernel), "asking for a kernel's shared memory");
  const auto all = static_cast<std::size_t>(of_block);
  if (wanted + attributes.sharedSizeBytes > all) {
    throw Error::runtime("launching a kernel with " + std::to_string(wanted) +
                         " bytes of dynamic shared memory failed: CUDA device " +
                         std::to_string(device) + " gives a block " + std::to_string(all) +
                         " bytes, of which the kernel's own arrays take " +
                         std::to_string(attributes.sharedSizeBytes) + "; use algorithm stepwise");
  }
  const std::size_t most = all - attributes.sharedSizeBytes;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(most)),
        "asking for a kernel's dynamic shared memory");
  return most;
}

}  // namespace

void allow_launch(const void* kernel, std::size_t shared_bytes, unsigned cluster_blocks) {
  if (shared_bytes <= default_shared_bytes && cluster_blocks <= portable_cluster_blocks) return;
  int device = 0;
  check(cudaGetDevice(&device), "asking which device is current");
  RaisedLimits& raised = raised_limits();
  const std::lock_guard lock(raised.mutex);
  Limits& limits = raised.of[{kernel, device}];
  if (shared_bytes > limits.shared_bytes) {
    limits.shared_bytes = raise_shared_memory(kernel, device, shared_bytes);
  }
  if (cluster_blocks > limits.cluster_blocks) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
          "asking for a cluster of more than 8 blocks");
    limits.cluster_blocks = cluster_blocks > 16 ? cluster_blocks : 16;
  }
}

}  // namespace sluice::cuda
#endif
