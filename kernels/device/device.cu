// Devices, memory, copies and streams through the CUDA runtime.
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>

#include "kernels/base/error.h"
#include "kernels/device/blas_check.h"
#include "kernels/device/cuda_check.h"
#include "kernels/device/device_cuda.h"
#include "kernels/device/probe.h"

namespace sluice::cuda {
namespace {

constexpr int least_major = 7, least_minor = 5;

std::string dotted(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

cudaStream_t stream_of(const Queue& queue) { return static_cast<cudaStream_t>(queue.stream); }

void make_current(const Queue& queue) {
  check(cudaSetDevice(queue.ordinal), "making the queue's device current");
}

/// Why cudaGetDeviceCount found nothing.
std::string describe_missing_device(cudaError_t status, const CudaDevices& found) {
  if (found.driver_version == 0) {
    return "no NVIDIA driver: libcuda.so.1 is missing or does not load; install the driver";
  }
  if (status == cudaErrorInsufficientDriver) {
    return "driver too old: it supports CUDA " + dotted(found.driver_version) +
           " and this build needs " + dotted(found.runtime_version) + "; update the driver";
  }
  if (status == cudaSuccess || status == cudaErrorNoDevice) {
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    return visible == nullptr
               ? std::string("no device: the driver sees no NVIDIA GPU")
               : std::string(
                     "no device: the driver sees no NVIDIA GPU with CUDA_VISIBLE_DEVICES=") +
                     visible;
  }
  return std::string("the driver fails: ") + cudaGetErrorString(status) + " (CUDA error " +
         std::to_string(static_cast<int>(status)) + ")";
}

/// The memory that a handle's products use. A fixed one for each handle keeps their bits the same
/// from run to run and lets them be captured in a CUDA graph; cuBLAS has no call to ask for it
/// back.
class BlasWorkspaces {
 public:
  void add(void* handle, void* workspace) {
    const std::lock_guard lock(mutex_);
    workspaces_[handle] = workspace;
  }
  void* take(void* handle) {
    const std::lock_guard lock(mutex_);
    const auto found = workspaces_.find(handle);
    if (found == workspaces_.end()) return nullptr;
    void* const workspace = found->second;
    workspaces_.erase(found);
    return workspace;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<void*, void*> workspaces_;
};

BlasWorkspaces& blas_workspaces() {
  static BlasWorkspaces& workspaces = *new BlasWorkspaces;  // outlives every queue
  return workspaces;
}

/// The sizes NVIDIA's manual recommends.
std::size_t blas_workspace_bytes(int major) {
  return (major >= 9 ? 32 : 4) * (std::size_t{1} << 20);
}

bool has_memory_pools(int ordinal) {
  int supported = 0;
  return cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, ordinal) ==
             cudaSuccess &&
         supported != 0;
}

/// What is freed stays in the device's pool, for the next allocation.
void keep_memory_in_the_pool(int ordinal) {
  if (!has_memory_pools(ordinal)) return;
  cudaMemPool_t pool = nullptr;
  check(cudaDeviceGetDefaultMemPool(&pool, ordinal), "finding the device's memory pool");
  std::uint64_t all = UINT64_MAX;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all),
        "setting up the device's memory pool");
}

void create_blas(Queue& queue, int major) {
  cublasHandle_t blas = nullptr;
  check(cublasCreate(&blas), "creating a cuBLAS handle");
  queue.blas = blas;
  check(cublasSetStream(blas, stream_of(queue)), "binding cuBLAS to a stream");
  const std::size_t bytes = blas_workspace_bytes(major);
  void* workspace = nullptr;
  check(cudaMalloc(&workspace, bytes), "allocating cuBLAS's workspace");
  blas_workspaces().add(blas, workspace);
  check(cublasSetWorkspace(blas, workspace, bytes), "giving cuBLAS its workspace");
  // float32 products are IEEE float32: no TF32 unless a call asks, no emulation. 16-bit products
  // add up in float32 to the end. No atomics, so the same bits always.
  constexpr auto math =
      cublasMath_t(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
  check(cublasSetMathMode(blas, math), "setting cuBLAS's arithmetic");
  check(cublasSetAtomicsMode(blas, CUBLAS_ATOMICS_NOT_ALLOWED), "forbidding cuBLAS's atomics");
}

}  // namespace

CudaDevices cuda_devices() {
  CudaDevices found;
  static_cast<void>(cudaDriverGetVersion(&found.driver_version));
  static_cast<void>(cudaRuntimeGetVersion(&found.runtime_version));
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    static_cast<void>(cudaGetLastError());
    found.problem = describe_missing_device(status, found);
    return found;
  }
  std::string unusable;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      unusable = "device " + std::to_string(ordinal) + " does not answer";
      continue;
    }
    if (properties.major * 10 + properties.minor < least_major * 10 + least_minor) {
      unusable = "compute capability " + std::to_string(properties.major) + "." +
                 std::to_string(properties.minor) + " of " + properties.name +
                 " is below 7.5, the least that Sluice supports";
      continue;
    }
    found.devices.push_back({ordinal, properties.name, properties.major, properties.minor,
                             properties.totalGlobalMem, properties.multiProcessorCount});
  }
  if (found.devices.empty()) found.problem = unusable;
  return found;
}

Queue create_queue(int ordinal) {
  const CudaDevices found = cuda_devices();
  const CudaDevice* device = nullptr;
  std::string ordinals;
  for (const CudaDevice& candidate : found.devices) {
    if (candidate.ordinal == ordinal) device = &candidate;
    ordinals += (ordinals.empty() ? "" : ", ") + std::to_string(candidate.ordinal);
  }
  if (device == nullptr) {
    throw Error::usage("CUDA device " + std::to_string(ordinal) + " cannot be used: " +
                       (found.problem.empty() ? "the usable devices are " + ordinals
                                              : found.problem + ", or use the CPU"));
  }
  Queue queue;
  queue.device = DeviceKind::cuda;
  queue.ordinal = ordinal;
  make_current(queue);
  cudaFuncAttributes attributes;
  check(cudaFuncGetAttributes(&attributes, probe_kernel()), "loading Sluice's kernels");
  try {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
    queue.stream = stream;
    keep_memory_in_the_pool(ordinal);
    create_blas(queue, device->major);
  } catch (...) {
    destroy_queue(queue);
    throw;
  }
  return queue;
}

void destroy_queue(Queue& queue) noexcept {
  static_cast<void>(cudaSetDevice(queue.ordinal));
  if (queue.stream != nullptr) static_cast<void>(cudaStreamSynchronize(stream_of(queue)));
  if (queue.blas != nullptr) {
    void* const workspace = blas_workspaces().take(queue.blas);
    static_cast<void>(cublasDestroy(static_cast<cublasHandle_t>(queue.blas)));
    static_cast<void>(cudaFree(workspace));
  }
  if (queue.stream != nullptr) static_cast<void>(cudaStreamDestroy(stream_of(queue)));
  queue = Queue();
}

void* allocate(const Queue& queue, std::size_t bytes) {
  make_current(queue);
  void* memory = nullptr;
  const std::size_t least = bytes == 0 ? 1 : bytes;
  const cudaError_t status = has_memory_pools(queue.ordinal)
                                 ? cudaMallocAsync(&memory, least, stream_of(queue))
                                 : cudaMalloc(&memory, least);
  if (status != cudaSuccess) {
    const std::string action = "allocating " + std::to_string(bytes) + " bytes on CUDA device " +
                               std::to_string(queue.ordinal);
    throw_failure(status, action.c_str());
  }
  return memory;
}

void release(const Queue& queue, void* memory) noexcept {
  static_cast<void>(cudaSetDevice(queue.ordinal));
  static_cast<void>(has_memory_pools(queue.ordinal) ? cudaFreeAsync(memory, stream_of(queue))
                                                    : cudaFree(memory));
}

void* allocate_pinned(const Queue& queue, std::size_t bytes) {
  make_current(queue);
  void* memory = nullptr;
  const cudaError_t status = cudaMallocHost(&memory, bytes == 0 ? 1 : bytes);
  if (status != cudaSuccess) {
    const std::string action = "allocating " + std::to_string(bytes) + " bytes of pinned memory";
    throw_failure(status, action.c_str());
  }
  return memory;
}

void release_pinned(const Queue& queue, void* memory) noexcept {
  static_cast<void>(cudaSetDevice(queue.ordinal));
  static_cast<void>(cudaFreeHost(memory));
}

void copy_to_device(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_of(queue)),
        "copying to the device");
}

void copy_to_host(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_of(queue)),
        "copying from the device");
}

void copy_on_device(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(queue)),
        "copying on the device");
}

void fill_zero(const Queue& queue, void* memory, std::size_t bytes) {
  check(cudaMemsetAsync(memory, 0, bytes, stream_of(queue)), "zeroing device memory");
}

void synchronize(const Queue& queue) {
  check(cudaStreamSynchronize(stream_of(queue)), "waiting for the device");
}

}  // namespace sluice::cuda
