// What cuDNN's opaque pointers point to here.
#pragma once

#include <cudnn.h>

#include <cstddef>
#include <cstdint>
#include <vector>

struct cudnnContext {
  cudaStream_t stream = nullptr;
};
struct cudnnTensorStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int> size, stride;
};
struct cudnnDropoutStruct {
  float rate = -1.0f;  // not set yet
};
struct cudnnRNNDataStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  cudnnRNNDataLayout_t layout = CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED;
  int steps = 0, batch = 0, columns = 0;
  std::vector<int> lengths;

  /// Rows before step t, in either layout.
  std::int64_t first_row(int t) const {
    if (layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED) return std::int64_t{t} * batch;
    std::int64_t rows = 0;
    for (const int length : lengths) rows += length < t ? length : t;
    return rows;
  }
  std::int64_t rows() const { return first_row(steps); }
};
struct cudnnRNNStruct {
  cudnnRNNAlgo_t algorithm = CUDNN_RNN_ALGO_STANDARD;
  cudnnRNNMode_t mode = CUDNN_LSTM;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  bool tf32 = false;
  int directions = 1, input = 0, hidden = 0, layers = 0;
  bool padded = false;
  int built_for = 0;  // B of cudnnBuildRNNDynamic

  /// What cudnnRNNBackwardData_v8 had, for cudnnRNNBackwardWeights_v8 after it: cuDNN would find it
  /// in the reserve.
  struct LastBackward {
    std::vector<double> weights, c0, dy, dh, dc;
  } last = {};

  int gates() const { return mode == CUDNN_LSTM ? 4 : mode == CUDNN_GRU ? 3 : 1; }
  int columns(int pseudo_layer) const {
    return pseudo_layer < directions ? input : directions * hidden;
  }
  /// Elements before a gate's matrix or bias. Matrices come first, with gaps that cuDNN may leave.
  std::int64_t matrix(int pseudo_layer, int linear_layer) const;
  std::int64_t bias(int pseudo_layer, int linear_layer) const;
  std::int64_t elements() const;
};
