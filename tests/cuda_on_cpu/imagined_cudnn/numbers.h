// Numbers of cuDNN's types in memory, as doubles.
#pragma once

#include <cstddef>

#include "imagined_cudnn/layers.h"

namespace imagined_cudnn {

bool is_16_bit(cudnnDataType_t type);
/// Bytes of a number.
std::size_t element(cudnnDataType_t type);

/// Zeros for a null pointer.
Numbers read(const void* from, std::size_t count, cudnnDataType_t type);
/// What enters products. As TF32 it loses 13 of its 23 bits, to nearest.
Numbers read_factors(const void* from, std::size_t count, const cudnnRNNStruct& layers);

/// Nothing for a null pointer. `add`: to what is there.
void write(const Numbers& numbers, void* to, cudnnDataType_t type, bool add = false);

}  // namespace imagined_cudnn
