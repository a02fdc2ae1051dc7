// The imagined GPU as a test sets it up, and what it was asked.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <vector>

namespace cuda_on_cpu {

/// An H100's 132, or what the environment variable CUDA_ON_CPU_MULTIPROCESSORS says.
int multiprocessors();

/// Static shared memory of a kernel, which only a compiler knows; 0 where nobody says so.
void declare_static_shared_memory(const void* kernel, std::size_t bytes);

/// The limits of a kernel's dynamic shared memory that were asked for, one after the other.
std::vector<int> shared_memory_limits(const void* kernel);

/// What is enqueued or waited for from now on fails so, as after a kernel that broke the context;
/// cudaSuccess mends it, which a GPU cannot.
void break_context(cudaError_t failure);

}  // namespace cuda_on_cpu
