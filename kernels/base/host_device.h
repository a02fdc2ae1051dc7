// Marks functions that run on both the host and the device.
//
// Public API.
#pragma once

#if defined(__CUDACC__)
#define SLUICE_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define SLUICE_HOST_DEVICE inline __attribute__((always_inline))
#endif
