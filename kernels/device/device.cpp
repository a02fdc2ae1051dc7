#include "kernels/device/device.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "kernels/base/dispatch.h"
#include "kernels/device/device_cuda.h"
#include "kernels/device/lanes.h"

namespace sluice {
namespace cpu {
namespace {

constexpr std::align_val_t alignment{256};

void* allocate(const Queue&, std::size_t bytes) {
  void* memory = ::operator new(std::max<std::size_t>(bytes, 1), alignment, std::nothrow);
  if (memory == nullptr) {
    throw Error::runtime("no " + std::to_string(bytes) +
                         " bytes of memory left; use a smaller batch, shorter sequences or a "
                         "smaller model");
  }
  return memory;
}

void release(const Queue&, void* memory) noexcept { ::operator delete(memory, alignment); }

void copy(const Queue&, void* to, const void* from, std::size_t bytes) {
  std::memmove(to, from, bytes);
}

void fill_zero(const Queue&, void* memory, std::size_t bytes) { std::memset(memory, 0, bytes); }

}  // namespace
}  // namespace cpu

namespace {

void require_memory(const char* function, const void* to, const void* from) {
  require(to != nullptr && from != nullptr,
          std::string(function) +
              ": a null pointer came for a copy of at least one byte; allocate "
              "both sides first");
}

}  // namespace

#ifdef SLUICE_WITH_CUDA

CudaDevices cuda_devices() { return cuda::cuda_devices(); }
Queue create_cuda_queue(int ordinal) {
  Queue queue = cuda::create_queue(ordinal);
  queue.lanes = create_lanes();
  return queue;
}
void destroy_cuda_queue(Queue& queue) noexcept {
  destroy_lanes(queue.lanes);
  cuda::destroy_queue(queue);
}

#else

CudaDevices cuda_devices() {
  CudaDevices none;
  none.problem = "built without CUDA: install the CUDA toolkit and build Sluice again";
  return none;
}

Queue create_cuda_queue(int ordinal) {
  throw Error::usage("CUDA device " + std::to_string(ordinal) +
                     " cannot be used: " + cuda_devices().problem + ", or use the CPU");
}

void destroy_cuda_queue(Queue& queue) noexcept { queue = Queue(); }

#endif

void* allocate(const Queue& queue, std::size_t bytes) {
  return SLUICE_DISPATCH(allocate, queue, bytes);
}

void release(const Queue& queue, void* memory) noexcept {
  if (memory == nullptr) return;
  if (queue.device == DeviceKind::cpu) return cpu::release(queue, memory);
#ifdef SLUICE_WITH_CUDA
  cuda::release(queue, memory);
#endif
}

void* allocate_pinned(const Queue& queue, std::size_t bytes) {
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) return cuda::allocate_pinned(queue, bytes);
#endif
  return cpu::allocate(queue, bytes);
}

void release_pinned(const Queue& queue, void* memory) noexcept {
  if (memory == nullptr) return;
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) return cuda::release_pinned(queue, memory);
#endif
  cpu::release(queue, memory);
}

void upload(const Queue& queue, void* device, const void* host, std::size_t bytes) {
  if (bytes == 0) return;
  require_memory("upload", device, host);
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) return cuda::copy_to_device(queue, device, host, bytes);
#endif
  cpu::copy(queue, device, host, bytes);
}

void download(const Queue& queue, void* host, const void* device, std::size_t bytes) {
  if (bytes == 0) return;
  require_memory("download", host, device);
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) return cuda::copy_to_host(queue, host, device, bytes);
#endif
  cpu::copy(queue, host, device, bytes);
}

void copy(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  require_memory("copy", to, from);
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) return cuda::copy_on_device(queue, to, from, bytes);
#endif
  cpu::copy(queue, to, from, bytes);
}

void fill_zero(const Queue& queue, void* memory, std::size_t bytes) {
  if (bytes == 0) return;
  require_memory("fill_zero", memory, memory);
  SLUICE_DISPATCH(fill_zero, queue, memory, bytes);
}

void synchronize(const Queue& queue) {
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) cuda::synchronize(queue);
#else
  static_cast<void>(queue);
#endif
}

}  // namespace sluice
