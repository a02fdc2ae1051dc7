// The CUDA half of kernels/device/device.h; the same functions, defined in
// kernels/device/device.cu.
#pragma once

#include "kernels/device/device.h"

namespace sluice::cuda {

CudaDevices cuda_devices();
Queue create_queue(int ordinal);
void destroy_queue(Queue& queue) noexcept;
void* allocate(const Queue& queue, std::size_t bytes);
void release(const Queue& queue, void* memory) noexcept;
void* allocate_pinned(const Queue& queue, std::size_t bytes);
void release_pinned(const Queue& queue, void* memory) noexcept;
void copy_to_device(const Queue& queue, void* to, const void* from, std::size_t bytes);
void copy_to_host(const Queue& queue, void* to, const void* from, std::size_t bytes);
void copy_on_device(const Queue& queue, void* to, const void* from, std::size_t bytes);
void fill_zero(const Queue& queue, void* memory, std::size_t bytes);
void synchronize(const Queue& queue);

}  // namespace sluice::cuda
