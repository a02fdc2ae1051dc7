#ifdef SLUICE_WITH_CUDNN
#include "kernels/cudnn/cudnn_session.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "kernels/base/error.h"
#include "kernels/cudnn/cudnn_recovery.h"

namespace sluice::cuda {
namespace {

template <class Handle>
CudnnSession::Owned<Handle> make(cudnnStatus_t (*create)(Handle*), cudnnStatus_t (*destroy)(Handle),
                                 const char* action) {
  Handle handle = nullptr;
  check(create(&handle), action);
  return CudnnSession::Owned<Handle>(handle, destroy);
}

cudnnRNNMode_t mode_of(Cell cell) {
  constexpr std::pair<Cell, cudnnRNNMode_t> kModes[] = {{Cell::rnn_tanh, CUDNN_RNN_TANH},
                                                        {Cell::rnn_relu, CUDNN_RNN_RELU},
                                                        {Cell::lstm, CUDNN_LSTM},
                                                        {Cell::gru, CUDNN_GRU}};
  for (const auto& [candidate, mode] : kModes) {
    if (candidate == cell) return mode;
  }
  throw Error::usage("algorithm cudnn: " + why_not_in_cudnn(cell) + "; use another algorithm");
}

CudnnSession::Arithmetic arithmetic_of(const CudnnRnnConfig& config) {
  if (config.type == DataType::float64) {
    return {CUDNN_DATA_DOUBLE, CUDNN_DATA_DOUBLE, CUDNN_DEFAULT_MATH};
  }
  if (is_16_bit(config.type)) {
    return {config.type == DataType::bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_HALF,
            CUDNN_DATA_FLOAT, CUDNN_TENSOR_OP_MATH};
  }
  return {CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT,
          config.math == MatrixMath::tf32 ? CUDNN_DEFAULT_MATH
                                          : CUDNN_FMA_MATH};  // the default is TF32
}

cudnnRNNAlgo_t id_of(CudnnAlgorithm algorithm) {
  switch (algorithm) {
    case CudnnAlgorithm::persist_static: return CUDNN_RNN_ALGO_PERSIST_STATIC;
    case CudnnAlgorithm::persist_dynamic: return CUDNN_RNN_ALGO_PERSIST_DYNAMIC;
    case CudnnAlgorithm::persist_static_small_h: return CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H;
    default: return CUDNN_RNN_ALGO_STANDARD;
  }
}

CudnnAlgorithm algorithm_of(cudnnRNNAlgo_t id) {
  switch (id) {
    case CUDNN_RNN_ALGO_PERSIST_STATIC: return CudnnAlgorithm::persist_static;
    case CUDNN_RNN_ALGO_PERSIST_DYNAMIC: return CudnnAlgorithm::persist_dynamic;
    case CUDNN_RNN_ALGO_PERSIST_STATIC_SMALL_H: return CudnnAlgorithm::persist_static_small_h;
    default: return CudnnAlgorithm::standard;
  }
}

/// [B] by sorted row, falling.
std::vector<int> lengths_of(const Sequences& sequences) {
  std::vector<int> lengths(static_cast<std::size_t>(sequences.batch), 0);
  for (std::int32_t t = 0; t < sequences.steps; ++t) {
    std::fill_n(lengths.begin(), sequences.host_offsets[t + 1] - sequences.host_offsets[t], t + 1);
  }
  return lengths;
}

}  // namespace

CudnnBatch batch_of(const Sequences& sequences, bool training) {
  return {sequences.steps, sequences.batch, sequences.equal_lengths, training};
}

CudnnSession::CudnnSession(const CudnnRnnConfig& of)
    : config(of), mode(mode_of(of.cell)), arithmetic(arithmetic_of(of)) {}

void CudnnSession::open() {
  if (handle != nullptr) return;
  auto opened = make(cudnn.cudnnCreate, cudnn.cudnnDestroy, "creating a cuDNN handle");
  no_dropout = make(cudnn.cudnnCreateDropoutDescriptor, cudnn.cudnnDestroyDropoutDescriptor,
                    "creating a dropout descriptor");
  check(cudnn.cudnnSetDropoutDescriptor(no_dropout.get(), opened.get(), 0.0f, nullptr, 0, 0),
        "switching cuDNN's dropout off");
  x = make(cudnn.cudnnCreateRNNDataDescriptor, cudnn.cudnnDestroyRNNDataDescriptor,
           "creating a descriptor of x");
  y = make(cudnn.cudnnCreateRNNDataDescriptor, cudnn.cudnnDestroyRNNDataDescriptor,
           "creating a descriptor of y");
  states = make(cudnn.cudnnCreateTensorDescriptor, cudnn.cudnnDestroyTensorDescriptor,
                "creating a descriptor of the states");
  handle = std::move(opened);
  try {
    locate_weights();
  } catch (...) {
    handle.reset();
    throw;
  }
}

// Packed data asks for a descriptor without padded data, and the other way round. Not every
// algorithm takes every number type.
cudnnStatus_t CudnnSession::describe_layers(cudnnRNNAlgo_t algorithm, bool packed,
                                            cudnnRNNDescriptor_t& layers) {
  const auto found = rnns_.find({algorithm, packed});
  if (found != rnns_.end()) {
    layers = found->second.get();
    return CUDNN_STATUS_SUCCESS;
  }
  RnnDescriptor made = make(cudnn.cudnnCreateRNNDescriptor, cudnn.cudnnDestroyRNNDescriptor,
                            "creating a descriptor of recurrent layers");
  const auto size = [](std::int64_t value) { return static_cast<std::int32_t>(value); };
  const cudnnStatus_t status = cudnn.cudnnSetRNNDescriptor_v8(
      made.get(), algorithm, mode, CUDNN_RNN_DOUBLE_BIAS,
      config.bidirectional ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT,
      arithmetic.storage, arithmetic.sums, arithmetic.math, size(config.input_size),
      size(config.hidden_size), size(config.hidden_size), config.num_layers, no_dropout.get(),
      packed ? CUDNN_RNN_PADDED_IO_DISABLED : CUDNN_RNN_PADDED_IO_ENABLED);
  if (status == CUDNN_STATUS_SUCCESS) {
    layers = rnns_.emplace(std::pair(algorithm, packed), std::move(made)).first->second.get();
  }
  return status;
}

cudnnRNNAlgo_t CudnnSession::algorithm_for(const CudnnBatch& batch) const {
  if (config.algorithm != CudnnAlgorithm::best) return id_of(config.algorithm);
  return fell_back_.count(call_of(batch)) != 0 ? CUDNN_RNN_ALGO_STANDARD
                                               : id_of(cudnn_best(config, batch));
}

CudnnRnn::Choice CudnnSession::choice(const CudnnBatch& batch) const {
  const auto found = fell_back_.find(call_of(batch));
  return {algorithm_of(algorithm_for(batch)), found == fell_back_.end() ? "" : found->second};
}

bool CudnnSession::can_fall_back(cudnnRNNAlgo_t algorithm) const {
  return config.algorithm == CudnnAlgorithm::best && algorithm != CUDNN_RNN_ALGO_STANDARD;
}

void CudnnSession::fall_back(const CudnnBatch& batch, cudnnRNNAlgo_t algorithm,
                             const std::string& failure) {
  fell_back_[call_of(batch)] = std::string(name_of(algorithm_of(algorithm))) + ", since " + failure;
}

bool CudnnSession::tries_again(const Queue& queue, const char* action, const CudnnBatch& batch,
                               cudnnRNNAlgo_t algorithm, cudnnStatus_t status) {
  if (status == CUDNN_STATUS_SUCCESS) return false;
  const std::string words = words_for(status);
  const std::string failure = name_of_call(action, algorithm, batch) + " failed: " + words;
  if (can_fall_back(algorithm))
    fall_back(batch, algorithm, std::string(action) + " failed: " + words);
  if (!is_refusal(status)) require_sound(queue, failure);
  if (can_fall_back(algorithm)) return true;
  throw_failure(status, failure);
}

cudnnRNNAlgo_t CudnnSession::writer_of(const void* reserve, const CudnnBatch& batch) const {
  const auto found = writers_.find(reserve);
  return found == writers_.end() ? algorithm_for(batch) : found->second;
}

void CudnnSession::describe_data(const CudnnBatch& batch, const std::vector<int>& lengths) {
  const cudnnRNNDataLayout_t layout = batch.equal_lengths ? CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED
                                                          : CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED;
  const auto describe = [&](cudnnRNNDataDescriptor_t data, std::int64_t columns) {
    check(
        cudnn.cudnnSetRNNDataDescriptor(data, arithmetic.storage, layout, batch.steps, batch.batch,
                                        static_cast<int>(columns), lengths.data(), nullptr),
        "describing a batch to cuDNN");
  };
  describe(x.get(), config.input_size);
  describe(y.get(), config.directions() * config.hidden_size);
}

void CudnnSession::describe_states(std::int32_t batch) {
  const int hidden = static_cast<int>(config.hidden_size);
  const int size[] = {config.num_layers * config.directions(), batch, hidden};
  const int stride[] = {batch * hidden, hidden, 1};
  check(cudnn.cudnnSetTensorNdDescriptor(states.get(), arithmetic.storage, 3, size, stride),
        "describing the states to cuDNN");
}

cudnnStatus_t CudnnSession::temporary_bytes(cudnnRNNAlgo_t algorithm, const CudnnBatch& batch,
                                            Bytes& bytes) {
  std::size_t workspace = 0, reserve = 0;
  cudnnRNNDescriptor_t layers = nullptr;
  cudnnStatus_t status = ready(algorithm, batch, layers);
  if (status != CUDNN_STATUS_SUCCESS) return status;
  status = cudnn.cudnnGetRNNTempSpaceSizes(
      handle.get(), layers, batch.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
      x.get(), &workspace, &reserve);
  if (status == CUDNN_STATUS_SUCCESS) {
    bytes.workspace = std::max(bytes.workspace, workspace);
    bytes.reserve = std::max(bytes.reserve, reserve);
  }
  return status;
}

// Nothing where no batch that fits into this one's memory could fall back.
std::size_t CudnnSession::repeated_y_bytes(std::int32_t steps, std::int32_t batch,
                                           bool training) const {
  constexpr std::int32_t kEasyBatch = 8;  // a multiple of what any algorithm wants
  const bool might =
      training && config.algorithm == CudnnAlgorithm::best &&
      cudnn_best(config, {steps, kEasyBatch, true, training}) != CudnnAlgorithm::standard;
  if (!might) return 0;
  return static_cast<std::size_t>(steps) * static_cast<std::size_t>(batch) *
         static_cast<std::size_t>(config.directions() * config.hidden_size) * size_of(config.type);
}

CudnnSession::Bytes CudnnSession::bytes(std::int32_t steps, std::int32_t rows, bool training) {
  const auto found = sizes_.find({steps, rows, training});
  if (found != sizes_.end()) return found->second;
  Bytes most{weight_bytes, 0, 0, 0};
  const char* const asking = "asking cuDNN for the size of its workspace";
  bool taken = false;
  cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
  for (const bool equal : {false, true}) {  // where neither is taken, the latter is reported
    const CudnnBatch batch{steps, rows, equal, training};
    describe_data(batch, std::vector<int>(static_cast<std::size_t>(rows), steps));
    for (const cudnnRNNAlgo_t algorithm :
         {algorithm_for(batch), config.algorithm == CudnnAlgorithm::best ? CUDNN_RNN_ALGO_STANDARD
                                                                         : algorithm_for(batch)}) {
      status = temporary_bytes(algorithm, batch, most);
      if (status == CUDNN_STATUS_SUCCESS) {
        taken = true;
      } else if (can_fall_back(algorithm)) {
        fall_back(batch, algorithm, std::string(asking) + " failed: " + words_for(status));
      } else if (!is_refusal(status)) {
        check_call(status, asking, algorithm, batch);
      }
    }
  }
  if (!taken) {
    const CudnnBatch batch{steps, rows, true, training};
    check_call(status, asking, algorithm_for(batch), batch);
  }
  constexpr std::size_t kAlignment = 256;
  most.repeated_y = repeated_y_bytes(steps, rows, training);
  most.workspace = (most.workspace + kAlignment - 1) / kAlignment * kAlignment + most.repeated_y;
  constexpr std::size_t kMostRemembered = 4096;
  if (sizes_.size() >= kMostRemembered) sizes_.clear();
  return sizes_[{steps, rows, training}] = most;
}

// By asking for each part inside a pretended space, which is not touched.
void CudnnSession::locate_weights() {
  cudnnRNNDescriptor_t layers = nullptr;
  check(describe_layers(CUDNN_RNN_ALGO_STANDARD, true, layers),
        "describing recurrent layers to cuDNN");
  check(cudnn.cudnnGetRNNWeightSpaceSize(handle.get(), layers, &weight_bytes),
        "asking cuDNN for the size of its weights");
  const auto matrix = make(cudnn.cudnnCreateTensorDescriptor, cudnn.cudnnDestroyTensorDescriptor,
                           "creating a descriptor of a matrix");
  const auto bias = make(cudnn.cudnnCreateTensorDescriptor, cudnn.cudnnDestroyTensorDescriptor,
                         "creating a descriptor of a bias");
  void* const space = reinterpret_cast<void*>(std::uintptr_t{1} << 30);
  std::vector<CudnnWeightRange> ranges;
  for (const CudnnWeightPart& part : cudnn_weight_parts(config)) {
    void* at_matrix = nullptr;
    void* at_bias = nullptr;
    check(cudnn.cudnnGetRNNWeightParams(handle.get(), layers, part.pseudo_layer, weight_bytes,
                                        space, part.linear_layer, matrix.get(), &at_matrix,
                                        bias.get(), &at_bias),
          "asking cuDNN where its weights are");
    const std::ptrdiff_t offset = static_cast<unsigned char*>(part.bias ? at_bias : at_matrix) -
                                  static_cast<unsigned char*>(space);
    const auto element = static_cast<std::ptrdiff_t>(size_of(config.type));
    if (offset < 0 || offset % element != 0 ||
        offset + part.count * element > static_cast<std::ptrdiff_t>(weight_bytes)) {
      throw Error::runtime("cuDNN places weights outside of their space; use another algorithm");
    }
    ranges.push_back({part.flat, offset / element, part.count});
  }
  weights = merged(ranges);
}

CudnnSession::Bytes CudnnSession::prepare(const Queue& queue, const Sequences& sequences,
                                          bool training) {
  open();
  check(cudnn.cudnnSetStream(handle.get(), static_cast<cudaStream_t>(queue.stream)),
        "giving cuDNN the stream");
  const Bytes sizes = bytes(sequences.steps, sequences.batch, training);
  describe_data(batch_of(sequences, training), lengths_of(sequences));
  describe_states(sequences.batch);
  return sizes;
}

cudnnStatus_t CudnnSession::ready(cudnnRNNAlgo_t algorithm, const CudnnBatch& batch,
                                  cudnnRNNDescriptor_t& layers) {
  cudnnStatus_t status = describe_layers(algorithm, !batch.equal_lengths, layers);
  if (status == CUDNN_STATUS_SUCCESS && algorithm == CUDNN_RNN_ALGO_PERSIST_DYNAMIC &&
      batch.equal_lengths && dynamic_batch_ != batch.batch) {
    status = cudnn.cudnnBuildRNNDynamic(handle.get(), layers, batch.batch);
    if (status == CUDNN_STATUS_SUCCESS) dynamic_batch_ = batch.batch;
  }
  return status;
}

std::string CudnnSession::name_of_call(const char* action, cudnnRNNAlgo_t algorithm,
                                       const CudnnBatch& batch) const {
  return std::string(action) + " by its algorithm " + name_of(algorithm_of(algorithm)) + " (" +
         name_of(config.cell) + ", " + name_of(config.type) + ", input " +
         std::to_string(config.input_size) + ", hidden " + std::to_string(config.hidden_size) +
         ", T " + std::to_string(batch.steps) + ", B " + std::to_string(batch.batch) +
         (batch.equal_lengths ? "" : ", rows of different lengths") + ")";
}

void CudnnSession::check_call(cudnnStatus_t status, const char* action, cudnnRNNAlgo_t algorithm,
                              const CudnnBatch& batch) const {
  if (status != CUDNN_STATUS_SUCCESS) check(status, name_of_call(action, algorithm, batch));
}

}  // namespace sluice::cuda
#endif
