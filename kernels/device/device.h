// The device runtime behind one interface: what is there, memory, copies, streams.
// Only the owners in host/ and tests call the allocating half of it.
//
// Public API.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/base/queue.h"

namespace sluice {

/// What a machine offers. `problem` says why no CUDA device can be used, empty if one can:
/// "built without CUDA", "no NVIDIA driver", "driver too old", "no device", "compute capability
/// ...".
struct CudaDevice {
  int ordinal = 0;
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  std::size_t total_bytes = 0;
  int multiprocessors = 0;
};
struct CudaDevices {
  std::vector<CudaDevice> devices;
  std::string problem;
  int driver_version = 0;   ///< as cudaDriverGetVersion gives it; 0 without a driver
  int runtime_version = 0;  ///< 0 in a build without CUDA
};
CudaDevices cuda_devices();

/// A stream and a cuBLAS handle on device `ordinal`, wrapped as a queue, to which add_lanes
/// (kernels/device/lanes.h) may add more; released by destroy_cuda_queue. Errors: usage when no
/// such device is usable (the message says what is missing), runtime when CUDA or cuBLAS fails.
Queue create_cuda_queue(int ordinal);
void destroy_cuda_queue(Queue& queue) noexcept;

/// Device memory, 256-byte aligned, from the device's pool and in the queue's order: what another
/// stream does with it must wait for the queue. `bytes` may be 0. Errors: runtime when there is not
/// enough.
void* allocate(const Queue& queue, std::size_t bytes);
void release(const Queue& queue, void* memory) noexcept;

/// Host memory that copies can overlap with (pinned on CUDA, plain on the CPU).
void* allocate_pinned(const Queue& queue, std::size_t bytes);
void release_pinned(const Queue& queue, void* memory) noexcept;

/// Enqueued in the queue's order. Host memory given to upload may be reused on return only if it
/// is not pinned.
void upload(const Queue& queue, void* device, const void* host, std::size_t bytes);
void download(const Queue& queue, void* host, const void* device, std::size_t bytes);
void copy(const Queue& queue, void* to, const void* from, std::size_t bytes);
void fill_zero(const Queue& queue, void* memory, std::size_t bytes);

/// Blocks until everything enqueued has finished; throws what it failed with.
void synchronize(const Queue& queue);

}  // namespace sluice
