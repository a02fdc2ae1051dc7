#include "kernels/cudnn_rnn.h"

#include "kernels/error.h"

#ifdef SLUICE_WITH_CUDNN

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kernels/convert.h"
#include "kernels/cudnn_library.h"
#include "kernels/cudnn_weights.h"
#include "kernels/device.h"

namespace sluice {
namespace {

using cuda::check;
using cuda::is_refusal;

template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, cudnnStatus_t (*)(Handle)>;

template <class Handle>
Owned<Handle> make(cudnnStatus_t (*create)(Handle*), cudnnStatus_t (*destroy)(Handle),
                   const char* action) {
  Handle handle = nullptr;
  check(create(&handle), action);
  return Owned<Handle>(handle, destroy);
}

cudnnRNNMode_t mode_of(Cell cell) {
  switch (cell) {
    case Cell::rnn_tanh: return CUDNN_RNN_TANH;
    case Cell::rnn_relu: return CUDNN_RNN_RELU;
    case Cell::lstm: return CUDNN_LSTM;
    case Cell::gru: return CUDNN_GRU;
    case Cell::gru_reset_before: break;
  }
  throw Error::usage(std::string("algorithm cudnn has no cell ") + name_of(cell) +
                     "; use gru, whose reset comes after the product, or another algorithm");
}

/// How numbers are stored, in what they are added up, and by which instructions.
struct Arithmetic {
  cudnnDataType_t storage, sums;
  cudnnMathType_t math;
};
Arithmetic arithmetic_of(const CudnnRnnConfig& config) {
  if (config.type == DataType::float64) {
    return {CUDNN_DATA_DOUBLE, CUDNN_DATA_DOUBLE, CUDNN_DEFAULT_MATH};
  }
  if (is_16_bit(config.type)) {
    return {config.type == DataType::bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_HALF, CUDNN_DATA_FLOAT,
            CUDNN_TENSOR_OP_MATH};
  }
  return {CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT,
          config.math == MatrixMath::tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH};  // the default is TF32
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

CudnnBatch batch_of(const Sequences& sequences, bool training) {
  return {sequences.steps, sequences.batch, sequences.equal_lengths, training};
}

}  // namespace

struct CudnnRnn::State {
  using RnnDescriptor = Owned<cudnnRNNDescriptor_t>;
  using Call = std::tuple<std::int32_t, std::int32_t, bool, bool>;  // T, B, equal lengths, training

  const CudnnRnnConfig config;
  const cuda::CudnnLibrary& cudnn = cuda::require_cudnn();
  const cudnnRNNMode_t mode = mode_of(config.cell);
  const Arithmetic arithmetic = arithmetic_of(config);
  std::mutex mutex;

  // Descriptors go before the handle.
  Owned<cudnnHandle_t> handle{nullptr, nullptr};
  Owned<cudnnDropoutDescriptor_t> no_dropout{nullptr, nullptr};
  Owned<cudnnRNNDataDescriptor_t> x{nullptr, nullptr}, y{nullptr, nullptr};
  Owned<cudnnTensorDescriptor_t> states{nullptr, nullptr};
  std::map<std::pair<cudnnRNNAlgo_t, bool>, RnnDescriptor> rnns;  // by algorithm and packed
  int dynamic_batch = 0;                                          // what persist_dynamic was built for
  std::map<Call, cudnnRNNAlgo_t> chosen;
  std::map<std::tuple<std::int32_t, std::int32_t, bool>, Bytes> sizes;
  std::size_t weight_bytes = 0;
  std::vector<CudnnWeightRange> weights;

  explicit State(const CudnnRnnConfig& of) : config(of) {}

  void open() {
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
  cudnnStatus_t describe_layers(cudnnRNNAlgo_t algorithm, bool packed, cudnnRNNDescriptor_t& layers) {
    const auto found = rnns.find({algorithm, packed});
    if (found != rnns.end()) {
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
      layers = rnns.emplace(std::pair(algorithm, packed), std::move(made)).first->second.get();
    }
    return status;
  }

  cudnnRNNAlgo_t algorithm_for(const CudnnBatch& batch) {
    if (config.algorithm != CudnnAlgorithm::best) return id_of(config.algorithm);
    const Call call{batch.steps, batch.batch, batch.equal_lengths, batch.training};
    const auto found = chosen.find(call);
    return found != chosen.end() ? found->second : id_of(cudnn_best(config, batch));
  }
  /// Whether another algorithm is to be tried after `status`.
  bool falls_back(const CudnnBatch& batch, cudnnRNNAlgo_t algorithm, cudnnStatus_t status) {
    if (config.algorithm != CudnnAlgorithm::best || algorithm == CUDNN_RNN_ALGO_STANDARD ||
        !is_refusal(status)) {
      return false;
    }
    chosen[{batch.steps, batch.batch, batch.equal_lengths, batch.training}] = CUDNN_RNN_ALGO_STANDARD;
    return true;
  }

  void describe_data(const CudnnBatch& batch, const std::vector<int>& lengths) {
    const cudnnRNNDataLayout_t layout = batch.equal_lengths
                                            ? CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED
                                            : CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED;
    const auto describe = [&](cudnnRNNDataDescriptor_t data, std::int64_t columns) {
      check(cudnn.cudnnSetRNNDataDescriptor(data, arithmetic.storage, layout, batch.steps, batch.batch,
                                            static_cast<int>(columns), lengths.data(), nullptr),
            "describing a batch to cuDNN");
    };
    describe(x.get(), config.input_size);
    describe(y.get(), config.directions() * config.hidden_size);
  }

  void describe_states(std::int32_t batch) {
    const int hidden = static_cast<int>(config.hidden_size);
    const int size[] = {config.num_layers * config.directions(), batch, hidden};
    const int stride[] = {batch * hidden, hidden, 1};
    check(cudnn.cudnnSetTensorNdDescriptor(states.get(), arithmetic.storage, 3, size, stride),
          "describing the states to cuDNN");
  }

  cudnnStatus_t temporary_bytes(cudnnRNNAlgo_t algorithm, const CudnnBatch& batch, Bytes& bytes) {
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

  Bytes bytes(std::int32_t steps, std::int32_t rows, bool training) {
    const auto found = sizes.find({steps, rows, training});
    if (found != sizes.end()) return found->second;
    Bytes most{weight_bytes, 0, 0};
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
        } else if (!falls_back(batch, algorithm, status) && !is_refusal(status)) {
          check_call(status, "asking cuDNN for the size of its workspace", algorithm, batch);
        }
      }
    }
    if (!taken) {
      const CudnnBatch batch{steps, rows, true, training};
      check_call(status, "asking cuDNN for the size of its workspace", algorithm_for(batch), batch);
    }
    constexpr std::size_t most_remembered = 4096;
    if (sizes.size() >= most_remembered) sizes.clear();
    return sizes[{steps, rows, training}] = most;
  }

  // By asking for each part inside a pretended space, which is not touched.
  void locate_weights() {
    cudnnRNNDescriptor_t layers = nullptr;
    check(describe_layers(CUDNN_RNN_ALGO_STANDARD, true, layers), "describing recurrent layers to cuDNN");
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
      check(cudnn.cudnnGetRNNWeightParams(handle.get(), layers, part.pseudo_layer, weight_bytes, space,
                                          part.linear_layer, matrix.get(), &at_matrix, bias.get(),
                                          &at_bias),
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

  /// Everything a pass needs in cuDNN's terms.
  void prepare(const Queue& queue, const Sequences& sequences, bool training) {
    open();
    check(cudnn.cudnnSetStream(handle.get(), static_cast<cudaStream_t>(queue.stream)),
          "giving cuDNN the stream");
    describe_data(batch_of(sequences, training), lengths_of(sequences));
    describe_states(sequences.batch);
  }

  /// Gives the layers' descriptor; persist_dynamic is compiled for each B, for equal lengths alone.
  cudnnStatus_t ready(cudnnRNNAlgo_t algorithm, const CudnnBatch& batch, cudnnRNNDescriptor_t& layers) {
    cudnnStatus_t status = describe_layers(algorithm, !batch.equal_lengths, layers);
    if (status == CUDNN_STATUS_SUCCESS && algorithm == CUDNN_RNN_ALGO_PERSIST_DYNAMIC &&
        batch.equal_lengths && dynamic_batch != batch.batch) {
      status = cudnn.cudnnBuildRNNDynamic(handle.get(), layers, batch.batch);
      if (status == CUDNN_STATUS_SUCCESS) dynamic_batch = batch.batch;
    }
    return status;
  }

  /// check() that names the call: what cuDNN refuses depends on all of it.
  void check_call(cudnnStatus_t status, const char* action, cudnnRNNAlgo_t algorithm,
                  const CudnnBatch& batch) const {
    if (status == CUDNN_STATUS_SUCCESS) return;
    check(status, std::string(action) + " by its algorithm " + name_of(algorithm_of(algorithm)) + " (" +
                      name_of(config.cell) + ", " + name_of(config.type) + ", input " +
                      std::to_string(config.input_size) + ", hidden " + std::to_string(config.hidden_size) +
                      ", T " + std::to_string(batch.steps) + ", B " + std::to_string(batch.batch) +
                      (batch.equal_lengths ? "" : ", rows of different lengths") + ")");
  }
};

CudnnRnn::CudnnRnn(const CudnnRnnConfig& config)
    : config_(config), state_(std::make_unique<State>(config)) {}

CudnnRnn::Bytes CudnnRnn::bytes(std::int32_t steps, std::int32_t batch, bool training) const {
  const std::lock_guard lock(state_->mutex);
  state_->open();
  return state_->bytes(steps, batch, training);
}

void CudnnRnn::load_weights(const Queue& queue, const void* parameters, void* weights) const {
  const std::lock_guard lock(state_->mutex);
  state_->open();
  const std::size_t element = size_of(config_.type);
  for (const CudnnWeightRange& range : state_->weights) {
    copy(queue, static_cast<unsigned char*>(weights) + range.space * element,
         static_cast<const unsigned char*>(parameters) + range.flat * element, range.count * element);
  }
}

void CudnnRnn::store_gradients(const Queue& queue, const void* d_weights, void* d_parameters) const {
  const std::lock_guard lock(state_->mutex);
  state_->open();
  const DataType wide = state_type(config_.type);
  for (const CudnnWeightRange& range : state_->weights) {
    convert(queue, {.count = range.count, .from_type = config_.type,
                    .from = static_cast<const unsigned char*>(d_weights) + range.space * size_of(config_.type),
                    .to_type = wide,
                    .to = static_cast<unsigned char*>(d_parameters) + range.flat * size_of(wide)});
  }
}

void CudnnRnn::forward(const Queue& queue, const CudnnForwardArgs& args) const {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  s.prepare(queue, args.sequences, args.training);
  const CudnnBatch batch = batch_of(args.sequences, args.training);
  const Bytes bytes = s.bytes(batch.steps, batch.batch, args.training);
  s.describe_data(batch, lengths_of(args.sequences));  // bytes() may have described others
  for (;;) {
    const cudnnRNNAlgo_t algorithm = s.algorithm_for(batch);
    cudnnRNNDescriptor_t layers = nullptr;
    cudnnStatus_t status = s.ready(algorithm, batch, layers);
    if (status == CUDNN_STATUS_SUCCESS) {
      status = s.cudnn.cudnnRNNForward(
          s.handle.get(), layers, args.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
          args.sequences.lengths, s.x.get(), args.x, s.y.get(), args.y, s.states.get(), args.h0,
          args.h_n, s.states.get(), args.c0, args.c_n, bytes.weights, args.weights, bytes.workspace,
          args.workspace, args.training ? bytes.reserve : 0, args.training ? args.reserve : nullptr);
    }
    if (s.falls_back(batch, algorithm, status)) continue;
    return s.check_call(status, "cudnnRNNForward", algorithm, batch);
  }
}

void CudnnRnn::backward(const Queue& queue, const CudnnBackwardArgs& args) const {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  s.prepare(queue, args.sequences, true);
  const CudnnBatch batch = batch_of(args.sequences, true);
  const Bytes bytes = s.bytes(batch.steps, batch.batch, true);
  s.describe_data(batch, lengths_of(args.sequences));
  const cudnnRNNAlgo_t algorithm = s.algorithm_for(batch);
  cudnnRNNDescriptor_t layers = nullptr;
  s.check_call(s.ready(algorithm, batch, layers), "describing recurrent layers to cuDNN", algorithm, batch);
  s.check_call(s.cudnn.cudnnRNNBackwardData_v8(
                   s.handle.get(), layers, args.sequences.lengths, s.y.get(), args.y, args.dy,
                   s.x.get(), args.dx, s.states.get(), args.h0, args.dh_n, args.dh0, s.states.get(),
                   args.c0, args.dc_n, args.dc0, bytes.weights, args.weights, bytes.workspace,
                   args.workspace, bytes.reserve, args.reserve),
               "cudnnRNNBackwardData_v8", algorithm, batch);
  if (args.d_weights == nullptr) return;
  fill_zero(queue, args.d_weights, bytes.weights);  // since cuDNN adds to them
  s.check_call(s.cudnn.cudnnRNNBackwardWeights_v8(
                   s.handle.get(), layers, CUDNN_WGRAD_MODE_ADD, args.sequences.lengths, s.x.get(),
                   args.x, s.states.get(), args.h0, s.y.get(), args.y, bytes.weights, args.d_weights,
                   bytes.workspace, args.workspace, bytes.reserve, args.reserve),
               "cudnnRNNBackwardWeights_v8", algorithm, batch);
}

}  // namespace sluice

#else  // SLUICE_WITH_CUDNN

namespace sluice {

struct CudnnRnn::State {};

CudnnRnn::CudnnRnn(const CudnnRnnConfig& config) : config_(config) {
  throw Error::usage("algorithm cudnn: " + cudnn_presence().problem + ", or use another algorithm");
}
CudnnRnn::Bytes CudnnRnn::bytes(std::int32_t, std::int32_t, bool) const { return {}; }
void CudnnRnn::load_weights(const Queue&, const void*, void*) const {}
void CudnnRnn::store_gradients(const Queue&, const void*, void*) const {}
void CudnnRnn::forward(const Queue&, const CudnnForwardArgs&) const {}
void CudnnRnn::backward(const Queue&, const CudnnBackwardArgs&) const {}

}  // namespace sluice

#endif

namespace sluice {

CudnnRnn::~CudnnRnn() = default;
CudnnRnn::CudnnRnn(CudnnRnn&&) noexcept = default;

}  // namespace sluice
