// The CUDA language and launches for kernels that are compiled as C++ and run on the CPU. Stands
// in for the toolkit's header of this name; the toolkit's types and declarations are its own.
#pragma once

/// Says that a source is CUDA, as nvcc's __CUDACC__ does.
#define CUDA_ON_CPU

#include "cuda_on_cpu/arithmetic.h"
#include "cuda_on_cpu/atomics.h"
#include "cuda_on_cpu/half.h"
#include "cuda_on_cpu/language.h"
#include "cuda_on_cpu/launch.h"
#include "cuda_on_cpu/synchronization.h"
#include "cuda_on_cpu/warp.h"
