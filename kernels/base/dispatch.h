// How an operation's front (op.cpp: validation) reaches its back (op_cpu.cpp or op.cu).
#pragma once

#include "kernels/base/error.h"
#include "kernels/base/queue.h"

// Calls cpu::function(queue, ...) or cuda::function(queue, ...) as the queue says.
#ifdef SLUICE_WITH_CUDA
#define SLUICE_DISPATCH(function, queue, ...)                                          \
  ((queue).device == ::sluice::DeviceKind::cuda ? cuda::function((queue), __VA_ARGS__) \
                                                : cpu::function((queue), __VA_ARGS__))
#else
#define SLUICE_DISPATCH(function, queue, ...)                                                  \
  ((queue).device == ::sluice::DeviceKind::cuda                                                \
       ? throw ::sluice::Error::usage(                                                         \
             #function ": this build of Sluice has no CUDA; rebuild it with the CUDA toolkit") \
       : cpu::function((queue), __VA_ARGS__))
#endif
