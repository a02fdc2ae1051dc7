// The functions of the CUDA runtime that Sluice calls, for an imagined device; streams are in
// streams.cpp.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda_on_cpu/device.h"
#include "cuda_on_cpu/device_memory.h"
#include "cuda_on_cpu/launch.h"
#include "cuda_on_cpu/schedule.h"
#include "cuda_on_cpu/streams.h"

namespace {

using cuda_on_cpu::DeviceMemoryAccess;
using cuda_on_cpu::NodeKind;

constexpr std::size_t default_dynamic_shared_bytes = 48 * 1024;
constexpr std::size_t most_shared_bytes = 227 * 1024;  // of a block
constexpr unsigned portable_cluster_blocks = 8;

struct KernelLimits {
  std::size_t dynamic_shared_bytes = default_dynamic_shared_bytes;
  bool large_clusters = false;
  std::size_t static_shared_bytes = 0;
  std::vector<int> asked;  ///< for dynamic shared memory
};
std::mutex limits_mutex;
std::map<const void*, KernelLimits> limits;

thread_local cudaError_t last_error = cudaSuccess;

cudaError_t finish(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

std::uint64_t download_digest = 0;

/// FNV-1a.
void add_to_digest(const void* bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    download_digest = (download_digest ^ static_cast<const unsigned char*>(bytes)[i]) *
                      std::uint64_t{1099511628211u};
  }
}

/// A copy in which a pointer is on the wrong side fails, as it would on a GPU.
bool is_on_its_side(const void* memory, std::size_t bytes, bool device) {
  return device ? cuda_on_cpu::is_device_memory(memory, bytes)
                : !cuda_on_cpu::touches_device_memory(memory);
}

/// Whether this launch is the one that CUDA_ON_CPU_BREAK_AT names, counted from 1.
bool breaks_the_context() {
  static const char* const wanted = std::getenv("CUDA_ON_CPU_BREAK_AT");
  static std::atomic<long> launches{0};
  return wanted != nullptr && ++launches == std::atol(wanted);
}

std::mutex pinned_mutex;
std::map<const unsigned char*, std::size_t> pinned;  // by address

bool is_pinned(const void* memory) {
  const std::lock_guard lock(pinned_mutex);
  const auto* const byte = static_cast<const unsigned char*>(memory);
  const auto after = pinned.upper_bound(byte);
  return after != pinned.begin() && byte < std::prev(after)->first + std::prev(after)->second;
}

bool is_captured(cudaStream_t stream) {
  cudaStreamCaptureStatus status;
  return cudaStreamIsCapturing(stream, &status) == cudaSuccess &&
         status != cudaStreamCaptureStatusNone;
}

cudaError_t free_now(void* memory) {
  if (memory == nullptr || cuda_on_cpu::free_device_memory(memory)) return cudaSuccess;
  return finish(cudaErrorInvalidValue);
}

}  // namespace

namespace cuda_on_cpu {

int multiprocessors() {
  static const int count = [] {
    const char* const wanted = std::getenv("CUDA_ON_CPU_MULTIPROCESSORS");
    return wanted == nullptr ? 132 : std::max(1, std::atoi(wanted));
  }();
  return count;
}

void declare_static_shared_memory(const void* kernel, std::size_t bytes) {
  const std::lock_guard lock(limits_mutex);
  limits[kernel].static_shared_bytes = bytes;
}

std::vector<int> shared_memory_limits(const void* kernel) {
  const std::lock_guard lock(limits_mutex);
  return limits[kernel].asked;
}

unsigned cooperative_blocks(const cudaLaunchConfig_t& config) {
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    if (config.attrs[i].id == cudaLaunchAttributeCooperative &&
        config.attrs[i].val.cooperative != 0) {
      return config.gridDim.x * config.gridDim.y * config.gridDim.z;
    }
  }
  return 0;
}

void restart_digest() { download_digest = 14695981039346656037u; }
std::uint64_t digest() { return download_digest; }

cudaError_t execute(const cudaLaunchConfig_t& config, const void* kernel, void (*run)(void*),
                    void* arguments) {
  Launch launch;
  launch.kernel = kernel;
  launch.run = run;
  launch.arguments = arguments;
  launch.grid = config.gridDim;
  launch.block = config.blockDim;
  launch.dynamic_shared_bytes = config.dynamicSmemBytes;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config.attrs[i];
    if (attribute.id == cudaLaunchAttributeCooperative) {
      launch.cooperative = attribute.val.cooperative != 0;
    } else if (attribute.id == cudaLaunchAttributeClusterDimension) {
      const auto& size = attribute.val.clusterDim;
      launch.cluster = dim3(size.x, size.y, size.z);
    }
  }
  KernelLimits raised;
  {
    const std::lock_guard lock(limits_mutex);
    const auto found = limits.find(kernel);
    if (found != limits.end()) raised = found->second;
  }
  if (launch.dynamic_shared_bytes > raised.dynamic_shared_bytes)
    return finish(cudaErrorInvalidValue);
  const unsigned cluster_blocks = launch.cluster.x * launch.cluster.y * launch.cluster.z;
  if (cluster_blocks > portable_cluster_blocks && !raised.large_clusters) {
    return finish(cudaErrorInvalidClusterSize);
  }
  if (breaks_the_context()) {
    break_context(cudaErrorIllegalAddress);
    return finish(cudaErrorIllegalAddress);
  }
  return finish(static_cast<cudaError_t>(cuda_on_cpu::execute(launch)));
}

}  // namespace cuda_on_cpu

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int ordinal) {
  if (ordinal != 0) return finish(cudaErrorInvalidDevice);
  std::memset(properties, 0, sizeof *properties);
  std::strcpy(properties->name, "CUDA on CPU");
  properties->major = 9;
  properties->multiProcessorCount = cuda_on_cpu::multiprocessors();
  properties->warpSize = 32;
  properties->totalGlobalMem = cuda_on_cpu::device_memory_bytes;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int ordinal) {
  if (ordinal != 0) return finish(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
      *value = cuda_on_cpu::multiprocessors();
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = most_shared_bytes; return cudaSuccess;
    case cudaDevAttrMemoryPoolsSupported: *value = 1; return cudaSuccess;
    case cudaDevAttrCooperativeLaunch: *value = 1; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor: *value = 9; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; return cudaSuccess;
    default: return finish(cudaErrorNotSupported);
  }
}

cudaError_t cudaSetDevice(int ordinal) {
  return ordinal == 0 ? cudaSuccess : finish(cudaErrorInvalidDevice);
}

cudaError_t cudaGetDevice(int* ordinal) {
  *ordinal = 0;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  const std::lock_guard lock(limits_mutex);
  std::memset(attributes, 0, sizeof *attributes);
  attributes->sharedSizeBytes = limits[kernel].static_shared_bytes;
  attributes->maxThreadsPerBlock = 1024;
  return cudaSuccess;
}

/// Refuses to lower a kernel's dynamic shared memory, which CUDA allows: another thread may be
/// about to launch it with what it was raised to.
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const std::lock_guard lock(limits_mutex);
  if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
    KernelLimits& of = limits[kernel];
    const auto bytes = static_cast<std::size_t>(value);
    of.asked.push_back(value);
    if (bytes < of.dynamic_shared_bytes || bytes + of.static_shared_bytes > most_shared_bytes) {
      return finish(cudaErrorInvalidValue);
    }
    of.dynamic_shared_bytes = bytes;
  } else if (attribute == cudaFuncAttributeNonPortableClusterSizeAllowed) {
    limits[kernel].large_clusters = value != 0;
  }
  return cudaSuccess;
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int threads,
                                                          size_t) {
  *blocks = 2048 / threads;
  return cudaSuccess;
}

/// Of blocks that fill an SM each; clusters of 16 do not find room in every part of an H100.
cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void*,
                                           const cudaLaunchConfig_t* config) {
  unsigned blocks = 1;
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    if (config->attrs[i].id != cudaLaunchAttributeClusterDimension) continue;
    const auto& size = config->attrs[i].val.clusterDim;
    blocks = size.x * size.y * size.z;
  }
  const int in_use = blocks > portable_cluster_blocks ? 18 : static_cast<int>(blocks);
  *clusters = cuda_on_cpu::multiprocessors() / in_use;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const cudaError_t status = last_error;
  last_error = cudaSuccess;
  return status;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

const char* cudaGetErrorName(cudaError_t status) {
  switch (status) {
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorCooperativeLaunchTooLarge: return "cudaErrorCooperativeLaunchTooLarge";
    default: return "CUDA on CPU";
  }
}

/// A kernel's failure by its own report, which a GPU does not have.
const char* cudaGetErrorString(cudaError_t status) {
  const std::string& failure = cuda_on_cpu::last_failure();
  const bool of_a_kernel = status == cudaErrorLaunchFailure ||
                           status == cudaErrorInvalidConfiguration ||
                           status == cudaErrorCooperativeLaunchTooLarge;
  return of_a_kernel && !failure.empty() ? failure.c_str() : cudaGetErrorName(status);
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (cuda_on_cpu::spoil_captures_of_this_thread())
    return finish(cudaErrorStreamCaptureUnsupported);
  *memory = bytes == 0 ? nullptr : cuda_on_cpu::allocate_device_memory(bytes);
  return bytes == 0 || *memory != nullptr ? cudaSuccess : finish(cudaErrorMemoryAllocation);
}

/// Waits for the whole device, as on a GPU.
cudaError_t cudaFree(void* memory) {
  const cudaError_t before = cuda_on_cpu::run_all();
  return before != cudaSuccess ? finish(before) : free_now(memory);
}

/// Of the device's one pool, from which memory comes as cudaMalloc gives it.
cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t) {
  return cudaMalloc(memory, bytes);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (cuda_on_cpu::spoil_captures_of_this_thread())
    return finish(cudaErrorStreamCaptureUnsupported);
  return finish(
      cuda_on_cpu::submit(stream, {NodeKind::library, nullptr, [=] { return free_now(memory); }}));
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int ordinal) {
  static char the_pool;
  *pool = reinterpret_cast<cudaMemPool_t>(&the_pool);
  return ordinal == 0 ? cudaSuccess : finish(cudaErrorInvalidDevice);
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr attribute, void*) {
  return attribute == cudaMemPoolAttrReleaseThreshold ? cudaSuccess : finish(cudaErrorNotSupported);
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *total = cuda_on_cpu::device_memory_bytes;
  *free_bytes = *total - cuda_on_cpu::device_memory_in_use();
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  *memory = std::malloc(bytes);
  if (*memory == nullptr) return finish(cudaErrorMemoryAllocation);
  const std::lock_guard lock(pinned_mutex);
  pinned[static_cast<const unsigned char*>(*memory)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  const cudaError_t before = cuda_on_cpu::run_all();
  const std::lock_guard lock(pinned_mutex);
  pinned.erase(static_cast<const unsigned char*>(memory));
  std::free(memory);
  return finish(before);
}

/// Pinned host memory is read when the copy runs, other memory before the call returns; what the
/// host gets is there when the call returns.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (!is_on_its_side(to, bytes, to_device) || !is_on_its_side(from, bytes, from_device)) {
    return finish(cudaErrorInvalidValue);
  }
  std::shared_ptr<const std::vector<unsigned char>> kept;
  if (kind == cudaMemcpyHostToDevice && !is_pinned(from) && !is_captured(stream)) {
    const auto* const first = static_cast<const unsigned char*>(from);
    kept = std::make_shared<const std::vector<unsigned char>>(first, first + bytes);
  }
  const auto copy = [=] {
    const DeviceMemoryAccess access;
    std::memmove(to, kept == nullptr ? from : kept->data(), bytes);
    if (kind == cudaMemcpyDeviceToHost) add_to_digest(to, bytes);
    return cudaSuccess;
  };
  const cudaError_t status = cuda_on_cpu::submit(stream, {NodeKind::copy, nullptr, copy});
  if (status != cudaSuccess || kind != cudaMemcpyDeviceToHost || is_captured(stream))
    return finish(status);
  return finish(cudaStreamSynchronize(stream));
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  if (!is_on_its_side(memory, bytes, true)) return finish(cudaErrorInvalidValue);
  const auto fill = [=] {
    const DeviceMemoryAccess access;
    std::memset(memory, value, bytes);
    return cudaSuccess;
  };
  return finish(cuda_on_cpu::submit(stream, {NodeKind::fill, nullptr, fill}));
}

}  // extern "C"
