// The functions of cuDNN that Sluice calls, as a library of its own that is loaded as the real one
// would be. It is strict about what cuDNN's manual asks for, and refuses what cuDNN's persistent
// algorithms are known to refuse; which types go together is what cuDNN 9.19 answers.
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "imagined_cudnn/failures.h"
#include "imagined_cudnn/layers.h"
#include "imagined_cudnn/numbers.h"

namespace {

using imagined_cudnn::element;
using imagined_cudnn::is_16_bit;
using imagined_cudnn::Numbers;
using imagined_cudnn::read;
using imagined_cudnn::read_factors;
using imagined_cudnn::Trace;
using imagined_cudnn::write;

template <class T>
cudnnStatus_t create(T** made) {
  *made = new T;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t destroy(T* made) {
  delete made;
  return CUDNN_STATUS_SUCCESS;
}

thread_local const char* last_words = "";
cudnnStatus_t refuse(cudnnStatus_t status, const char* words) {
  last_words = words;
  return status;
}

/// Of numbers in memory and of sums.
bool go_together(cudnnRNNAlgo_t algorithm, cudnnDataType_t type, cudnnDataType_t sums) {
  const bool takes_double =
      algorithm == CUDNN_RNN_ALGO_STANDARD || algorithm == CUDNN_RNN_ALGO_PERSIST_DYNAMIC;
  if (type == CUDNN_DATA_DOUBLE) return sums == CUDNN_DATA_DOUBLE && takes_double;
  if (sums == CUDNN_DATA_HALF)
    return type == CUDNN_DATA_HALF && algorithm == CUDNN_RNN_ALGO_STANDARD;
  return sums == CUDNN_DATA_FLOAT && (type == CUDNN_DATA_FLOAT || is_16_bit(type));
}

/// Who wrote it, then gates and outputs one after the other.
std::size_t trace_count(const cudnnRNNStruct& layers, std::int64_t rows) {
  return 1 + static_cast<std::size_t>(rows) * layers.layers * layers.directions * 6 * layers.hidden;
}
void keep(const Trace& trace, const cudnnRNNStruct& layers, void* reserve) {
  auto* to = static_cast<double*>(reserve);
  *to++ = layers.algorithm;
  for (const auto* part : {&trace.gates, &trace.outputs}) {
    for (const Numbers& numbers : *part) to = std::copy(numbers.begin(), numbers.end(), to);
  }
}
Trace recall(const cudnnRNNStruct& layers, std::int64_t rows, const void* reserve) {
  Trace trace;
  const auto* from = static_cast<const double*>(reserve) + 1;
  const auto take = [&](std::vector<Numbers>& part, int pieces, std::int64_t columns) {
    for (int i = 0; i < pieces; ++i, from += rows * columns)
      part.emplace_back(from, from + rows * columns);
  };
  take(trace.gates, layers.layers * layers.directions, 5 * layers.hidden);
  take(trace.outputs, layers.layers, layers.directions * layers.hidden);
  return trace;
}

/// Each algorithm reads its own reserve alone, and would take another's for its own.
cudnnStatus_t check_writer(const cudnnRNNStruct& layers, const void* reserve) {
  const bool own = *static_cast<const double*>(reserve) == static_cast<double>(layers.algorithm);
  return own ? CUDNN_STATUS_SUCCESS
             : refuse(CUDNN_STATUS_BAD_PARAM,
                      "the reserve is not this algorithm's, or a call has spoilt it");
}

/// A failure that comes when a part of the work is done: none of what the call writes is to be
/// used.
cudnnStatus_t fail_halfway(cudnnStatus_t status,
                           std::initializer_list<std::pair<void*, std::size_t>> spoilt) {
  for (const auto& [memory, bytes] : spoilt) {
    if (memory != nullptr) std::memset(memory, 0xFF, bytes);  // NaN
  }
  if (imagined_cudnn_failed_halfway != nullptr) imagined_cudnn_failed_halfway();
  return refuse(status, "the test asks for it");
}

cudnnStatus_t check_algorithm(const cudnnRNNStruct& layers, const cudnnRNNDataStruct& data,
                              bool training) {
  const bool packed = data.layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED;
  if (packed == layers.padded) return CUDNN_STATUS_BAD_PARAM;
  if (layers.algorithm == CUDNN_RNN_ALGO_STANDARD) return CUDNN_STATUS_SUCCESS;
  if (packed)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "persistent algorithms take no packed rows");
  switch (layers.algorithm) {
    case CUDNN_RNN_ALGO_PERSIST_STATIC:
      return layers.hidden % 16 == 0
                 ? CUDNN_STATUS_SUCCESS
                 : refuse(CUDNN_STATUS_NOT_SUPPORTED_SHAPE, "hidden size is no multiple of 16");
    case CUDNN_RNN_ALGO_PERSIST_DYNAMIC:
      return layers.built_for == data.batch ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
    default:  // refuses odd batches, so that there is something to fall back from
      return data.batch % 2 == 0 && layers.hidden <= (training ? 128 : 192)
                 ? CUDNN_STATUS_SUCCESS
                 : refuse(CUDNN_STATUS_NOT_SUPPORTED_SHAPE,
                          "an odd batch, or too large a hidden size");
  }
}

/// Both must agree, and the lengths on the device with those of the descriptor.
cudnnStatus_t check_batch(const cudnnRNNStruct& layers, const cudnnRNNDataStruct& x,
                          const cudnnRNNDataStruct& y, const std::int32_t* lengths,
                          const cudnnTensorStruct& states) {
  const std::vector<int> size = {layers.layers * layers.directions, x.batch, layers.hidden};
  const std::vector<int> stride = {x.batch * layers.hidden, layers.hidden, 1};
  const bool agree = x.lengths == y.lengths && x.layout == y.layout && x.type == layers.type &&
                     y.type == layers.type && x.columns == layers.input &&
                     y.columns == layers.directions * layers.hidden && lengths != nullptr &&
                     std::equal(x.lengths.begin(), x.lengths.end(), lengths) &&
                     states.size == size && states.stride == stride && states.type == layers.type;
  return agree ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

std::size_t state_count(const cudnnRNNStruct& layers, const cudnnRNNDataStruct& data) {
  return static_cast<std::size_t>(layers.layers) * layers.directions * data.batch * layers.hidden;
}

constexpr std::size_t workspace_size = 512;

}  // namespace

extern "C" {

size_t cudnnGetVersion() { return 90001; }
const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status >= CUDNN_STATUS_EXECUTION_FAILED ? "CUDNN_STATUS_EXECUTION_FAILED"
         : status >= CUDNN_STATUS_INTERNAL_ERROR ? "CUDNN_STATUS_INTERNAL_ERROR"
         : status >= CUDNN_STATUS_NOT_SUPPORTED  ? "CUDNN_STATUS_NOT_SUPPORTED"
                                                 : "CUDNN_STATUS_BAD_PARAM";
}
void cudnnGetLastErrorString(char* message, size_t size) {
  if (size > 0) std::strncpy(message, last_words, size - 1)[size - 1] = '\0';
  last_words = "";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) { return create(handle); }
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy(handle); }
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t made) { return destroy(made); }
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type,
                                         int dimensions, const int size[], const int stride[]) {
  tensor->type = type;
  tensor->size.assign(size, size + dimensions);
  tensor->stride.assign(stride, stride + dimensions);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t made) { return destroy(made); }
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t dropout, cudnnHandle_t, float rate,
                                        void*, size_t, unsigned long long) {
  dropout->rate = rate;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t made) { return destroy(made); }
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t rnn, cudnnRNNAlgo_t algorithm,
                                       cudnnRNNMode_t mode, cudnnRNNBiasMode_t bias,
                                       cudnnDirectionMode_t directions, cudnnRNNInputMode_t input,
                                       cudnnDataType_t type, cudnnDataType_t sums,
                                       cudnnMathType_t math, int32_t input_size,
                                       int32_t hidden_size, int32_t projection_size, int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, uint32_t flags) {
  if (!go_together(algorithm, type, sums)) {
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "the algorithm does not take these types");
  }
  const bool tf32 = type == CUDNN_DATA_FLOAT && math == CUDNN_DEFAULT_MATH;
  const bool float32_sums =
      !is_16_bit(type) || (sums == CUDNN_DATA_FLOAT && math == CUDNN_TENSOR_OP_MATH);
  if (bias != CUDNN_RNN_DOUBLE_BIAS || input != CUDNN_LINEAR_INPUT || !float32_sums ||
      projection_size != hidden_size || dropout == nullptr || dropout->rate != 0.0f) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  *rnn = {algorithm,
          mode,
          type,
          tf32,
          directions == CUDNN_BIDIRECTIONAL ? 2 : 1,
          input_size,
          hidden_size,
          layers,
          (flags & CUDNN_RNN_PADDED_IO_ENABLED) != 0,
          0,
          {}};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnBuildRNNDynamic(cudnnHandle_t, cudnnRNNDescriptor_t rnn, int batch) {
  rnn->built_for = batch;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* made) { return create(made); }
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t made) { return destroy(made); }
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t data, cudnnDataType_t type,
                                        cudnnRNNDataLayout_t layout, int steps, int batch,
                                        int columns, const int lengths[], void*) {
  *data = {type, layout, steps, batch, columns, std::vector<int>(lengths, lengths + batch)};
  const bool falling = std::is_sorted(data->lengths.rbegin(), data->lengths.rend());
  return falling && data->lengths.front() == steps ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t, cudnnRNNDescriptor_t rnn,
                                        cudnnForwardMode_t mode, cudnnRNNDataDescriptor_t x,
                                        size_t* workspace, size_t* reserve) {
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  const cudnnStatus_t status = check_algorithm(*rnn, *x, training);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  *workspace = workspace_size;
  *reserve = training ? trace_count(*rnn, x->rows()) * sizeof(double) : 0;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t, cudnnRNNDescriptor_t rnn, size_t* size) {
  *size = static_cast<std::size_t>(rnn->elements()) * element(rnn->type);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t, cudnnRNNDescriptor_t rnn, int32_t pseudo_layer,
                                      size_t size, const void* space, int32_t linear_layer,
                                      cudnnTensorDescriptor_t, void** matrix,
                                      cudnnTensorDescriptor_t, void** bias) {
  if (linear_layer >= 2 * rnn->gates() || pseudo_layer >= rnn->layers * rnn->directions ||
      size != static_cast<std::size_t>(rnn->elements()) * element(rnn->type)) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  auto* const start = static_cast<unsigned char*>(const_cast<void*>(space));
  *matrix = start +
            rnn->matrix(pseudo_layer, linear_layer) * static_cast<std::int64_t>(element(rnn->type));
  *bias =
      start + rnn->bias(pseudo_layer, linear_layer) * static_cast<std::int64_t>(element(rnn->type));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnRNNForward(cudnnHandle_t, cudnnRNNDescriptor_t rnn, cudnnForwardMode_t mode,
                              const int32_t lengths[], cudnnRNNDataDescriptor_t x_data,
                              const void* x, cudnnRNNDataDescriptor_t y_data, void* y,
                              cudnnTensorDescriptor_t states, const void* hx, void* hy,
                              cudnnTensorDescriptor_t, const void* cx, void* cy, size_t,
                              const void* weights, size_t workspace_bytes, void* workspace,
                              size_t reserve_bytes, void* reserve) {
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  cudnnStatus_t status = check_algorithm(*rnn, *x_data, training);
  if (status == CUDNN_STATUS_SUCCESS)
    status = check_batch(*rnn, *x_data, *y_data, lengths, *states);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  const std::size_t needed = training ? trace_count(*rnn, x_data->rows()) * sizeof(double) : 0;
  if (x == nullptr || y == nullptr || workspace_bytes < workspace_size || reserve_bytes < needed) {
    return CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT;
  }
  const cudnnStatus_t asked = imagined_cudnn::failure_asked_of("cudnnRNNForward", rnn->algorithm);
  if (imagined_cudnn::is_refusal(asked)) return refuse(asked, "the test asks for it");
  std::memset(workspace, 0xA5, workspace_size);
  const auto rows = static_cast<std::size_t>(x_data->rows());
  const std::size_t y_bytes = rows * rnn->directions * rnn->hidden * element(rnn->type);
  if (asked != CUDNN_STATUS_SUCCESS) return fail_halfway(asked, {{y, y_bytes}, {reserve, needed}});
  const Numbers w = read_factors(weights, static_cast<std::size_t>(rnn->elements()), *rnn);
  const Numbers in = read_factors(x, rows * rnn->input, *rnn);
  const Numbers h0 = read(hx, state_count(*rnn, *x_data), rnn->type);
  const Numbers c0 = read(cx, state_count(*rnn, *x_data), rnn->type);
  imagined_cudnn::Forward pass{*rnn, *x_data, w, in, h0, c0, {}, {}, {}};
  pass.run();
  write(pass.trace.outputs.back(), y, rnn->type);
  write(pass.h_n, hy, rnn->type);
  write(pass.c_n, cy, rnn->type);
  if (training) keep(pass.trace, *rnn, reserve);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnRNNBackwardData_v8(
    cudnnHandle_t, cudnnRNNDescriptor_t rnn, const int32_t lengths[],
    cudnnRNNDataDescriptor_t y_data, const void* y, const void* dy, cudnnRNNDataDescriptor_t x_data,
    void* dx, cudnnTensorDescriptor_t states, const void* hx, const void* dhy, void* dhx,
    cudnnTensorDescriptor_t, const void* cx, const void* dcy, void* dcx, size_t,
    const void* weights, size_t, void* workspace, size_t, void* reserve) {
  cudnnStatus_t status = check_algorithm(*rnn, *x_data, true);
  if (status == CUDNN_STATUS_SUCCESS)
    status = check_batch(*rnn, *x_data, *y_data, lengths, *states);
  if (status == CUDNN_STATUS_SUCCESS) status = check_writer(*rnn, reserve);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  if (y == nullptr || dy == nullptr || dx == nullptr) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  const cudnnStatus_t asked =
      imagined_cudnn::failure_asked_of("cudnnRNNBackwardData_v8", rnn->algorithm);
  if (imagined_cudnn::is_refusal(asked)) return refuse(asked, "the test asks for it");
  std::memset(workspace, 0x5A, workspace_size);
  const auto rows = static_cast<std::size_t>(x_data->rows());
  if (asked != CUDNN_STATUS_SUCCESS) {
    return fail_halfway(asked, {{dx, rows * rnn->input * element(rnn->type)},
                                {reserve, trace_count(*rnn, x_data->rows()) * sizeof(double)}});
  }
  const Numbers w = read_factors(weights, static_cast<std::size_t>(rnn->elements()), *rnn);
  const Numbers in(rows * rnn->input, 0.0);  // only the gradients of the weights need x
  const Numbers h0 = read(hx, state_count(*rnn, *x_data), rnn->type);
  const Numbers c0 = read(cx, state_count(*rnn, *x_data), rnn->type);
  const Numbers by_y = read(dy, rows * rnn->directions * rnn->hidden, rnn->type);
  const Trace trace = recall(*rnn, x_data->rows(), reserve);
  imagined_cudnn::Backward pass{*rnn,
                                *x_data,
                                w,
                                in,
                                h0,
                                c0,
                                trace,
                                by_y,
                                read(dhy, state_count(*rnn, *x_data), rnn->type),
                                read(dcy, state_count(*rnn, *x_data), rnn->type),
                                {},
                                {}};
  pass.run();
  write(pass.dx, dx, rnn->type);
  write(pass.dh, dhx, rnn->type);
  write(pass.dc, dcx, rnn->type);
  rnn->last = {w, c0, by_y, read(dhy, state_count(*rnn, *x_data), rnn->type),
               read(dcy, state_count(*rnn, *x_data), rnn->type)};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t, cudnnRNNDescriptor_t rnn,
                                         cudnnWgradMode_t mode, const int32_t lengths[],
                                         cudnnRNNDataDescriptor_t x_data, const void* x,
                                         cudnnTensorDescriptor_t states, const void* hx,
                                         cudnnRNNDataDescriptor_t y_data, const void* y, size_t,
                                         void* d_weights, size_t, void*, size_t, void* reserve) {
  if (mode != CUDNN_WGRAD_MODE_ADD) return CUDNN_STATUS_BAD_PARAM;
  cudnnStatus_t status = check_batch(*rnn, *x_data, *y_data, lengths, *states);
  if (status == CUDNN_STATUS_SUCCESS) status = check_writer(*rnn, reserve);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  const cudnnStatus_t asked =
      imagined_cudnn::failure_asked_of("cudnnRNNBackwardWeights_v8", rnn->algorithm);
  if (imagined_cudnn::is_refusal(asked)) return refuse(asked, "the test asks for it");
  if (asked != CUDNN_STATUS_SUCCESS) {
    return fail_halfway(
        asked, {{d_weights, static_cast<std::size_t>(rnn->elements()) * element(rnn->type)}});
  }
  if (x == nullptr || y == nullptr || rnn->last.dy.empty())
    return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  const auto rows = static_cast<std::size_t>(x_data->rows());
  const Numbers in = read_factors(x, rows * rnn->input, *rnn);
  const Numbers h0 = read(hx, state_count(*rnn, *x_data), rnn->type);
  const Trace trace = recall(*rnn, x_data->rows(), reserve);
  imagined_cudnn::Backward pass{
      *rnn,  *x_data,      rnn->last.weights, in,           h0, rnn->last.c0,
      trace, rnn->last.dy, rnn->last.dh,      rnn->last.dc, {}, {}};
  pass.run();
  write(pass.d_weights, d_weights, rnn->type, true);
  rnn->last.dy.clear();
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
