// Where a launch goes: the CPU's threads, or a CUDA stream with its cuBLAS handle.
//
// Public API.
#pragma once

#include "kernels/base/types.h"

namespace sluice {

class ThreadPool;
struct Lanes;

/// A borrowed view; owns nothing and is cheap to copy. Launches on one queue happen in order.
/// On the CPU a launch has finished when the call returns; on CUDA it is only enqueued.
/// On the CPU a launch's loops (parallel_for, ThreadPool) count denormal numbers as zero, in and
/// out (FTZ and DAZ: they cost some twenty times a normal number), with a pool and without, so that
/// the bits are the same; the calling thread's own mode is as it was when a launch returns. CUDA
/// keeps denormals.
struct Queue {
  DeviceKind device = DeviceKind::cpu;
  ThreadPool* threads = nullptr;  ///< CPU: null means the calling thread alone
  void* stream = nullptr;         ///< CUDA: cudaStream_t
  void* blas = nullptr;           ///< CUDA: cublasHandle_t bound to `stream`
  int ordinal = 0;                ///< CUDA: device number; the caller has made it current
  Lanes* lanes = nullptr;         ///< CUDA: see kernels/device/lanes.h; null: there can be none
};

}  // namespace sluice
