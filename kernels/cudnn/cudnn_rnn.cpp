#include "kernels/cudnn/cudnn_rnn.h"

#include "kernels/base/error.h"

#ifdef SLUICE_WITH_CUDNN

#include <mutex>

#include "kernels/arrays/convert.h"
#include "kernels/cudnn/cudnn_session.h"
#include "kernels/device/device.h"

namespace sluice {

using cuda::batch_of;

struct CudnnRnn::State : cuda::CudnnSession {
  using CudnnSession::CudnnSession;
  std::mutex mutex;
};

CudnnRnn::CudnnRnn(const CudnnRnnConfig& config)
    : config_(config), state_(std::make_unique<State>(config)) {}

CudnnRnn::Bytes CudnnRnn::bytes(std::int32_t steps, std::int32_t batch, bool training) const {
  const std::lock_guard lock(state_->mutex);
  state_->open();
  return state_->bytes(steps, batch, training);
}

CudnnRnn::Choice CudnnRnn::choice(const CudnnBatch& batch) const {
  const std::lock_guard lock(state_->mutex);
  return state_->choice(batch);
}

void CudnnRnn::load_weights(const Queue& queue, const void* parameters, void* weights) const {
  const std::lock_guard lock(state_->mutex);
  state_->open();
  const std::size_t element = size_of(config_.type);
  for (const CudnnWeightRange& range : state_->weights) {
    copy(queue, static_cast<unsigned char*>(weights) + range.space * element,
         static_cast<const unsigned char*>(parameters) + range.flat * element,
         range.count * element);
  }
}

void CudnnRnn::store_gradients(const Queue& queue, const void* d_weights,
                               void* d_parameters) const {
  const std::lock_guard lock(state_->mutex);
  state_->open();
  const DataType wide = state_type(config_.type);
  for (const CudnnWeightRange& range : state_->weights) {
    convert(queue, {.count = range.count,
                    .from_type = config_.type,
                    .from = static_cast<const unsigned char*>(d_weights) +
                            range.space * size_of(config_.type),
                    .to_type = wide,
                    .to = static_cast<unsigned char*>(d_parameters) + range.flat * size_of(wide)});
  }
}

namespace {

/// What a status is of.
struct Outcome {
  cudnnStatus_t status;
  const char* action;
};

Outcome try_forward(cuda::CudnnSession& s, cudnnRNNAlgo_t algorithm, const CudnnBatch& batch,
                    const CudnnRnn::Bytes& bytes, const CudnnForwardArgs& args) {
  cudnnRNNDescriptor_t layers = nullptr;
  const cudnnStatus_t status = s.ready(algorithm, batch, layers);
  if (status != CUDNN_STATUS_SUCCESS) return {status, "describing recurrent layers to cuDNN"};
  return {s.cudnn.cudnnRNNForward(
              s.handle.get(), layers,
              args.training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
              args.sequences.lengths, s.x.get(), args.x, s.y.get(), args.y, s.states.get(), args.h0,
              args.h_n, s.states.get(), args.c0, args.c_n, bytes.weights, args.weights,
              bytes.workspace - bytes.repeated_y, args.workspace, args.training ? bytes.reserve : 0,
              args.training ? args.reserve : nullptr),
          "cudnnRNNForward"};
}

Outcome try_backward(cuda::CudnnSession& s, cudnnRNNAlgo_t algorithm, const CudnnBatch& batch,
                     const CudnnRnn::Bytes& bytes, const Queue& queue,
                     const CudnnBackwardArgs& args) {
  const std::size_t workspace_bytes = bytes.workspace - bytes.repeated_y;
  cudnnRNNDescriptor_t layers = nullptr;
  cudnnStatus_t status = s.ready(algorithm, batch, layers);
  if (status != CUDNN_STATUS_SUCCESS) return {status, "describing recurrent layers to cuDNN"};
  status = s.cudnn.cudnnRNNBackwardData_v8(
      s.handle.get(), layers, args.sequences.lengths, s.y.get(), args.y, args.dy, s.x.get(),
      args.dx, s.states.get(), args.h0, args.dh_n, args.dh0, s.states.get(), args.c0, args.dc_n,
      args.dc0, bytes.weights, args.weights, workspace_bytes, args.workspace, bytes.reserve,
      args.reserve);
  if (status != CUDNN_STATUS_SUCCESS || args.d_weights == nullptr)
    return {status, "cudnnRNNBackwardData_v8"};
  fill_zero(queue, args.d_weights, bytes.weights);  // since cuDNN adds to them
  return {s.cudnn.cudnnRNNBackwardWeights_v8(
              s.handle.get(), layers, CUDNN_WGRAD_MODE_ADD, args.sequences.lengths, s.x.get(),
              args.x, s.states.get(), args.h0, s.y.get(), args.y, bytes.weights, args.d_weights,
              workspace_bytes, args.workspace, bytes.reserve, args.reserve),
          "cudnnRNNBackwardWeights_v8"};
}

/// The forward pass whose arguments a backward pass has, with outputs that nobody waits for.
CudnnForwardArgs forward_of(const CudnnBackwardArgs& args, void* y) {
  return {.sequences = args.sequences,
          .training = true,
          .weights = args.weights,
          .x = args.x,
          .h0 = args.h0,
          .c0 = args.c0,
          .y = y,
          .h_n = nullptr,
          .c_n = nullptr,
          .workspace = args.workspace,
          .reserve = args.reserve};
}

}  // namespace

void CudnnRnn::forward(const Queue& queue, const CudnnForwardArgs& args) const {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  const CudnnBatch batch = batch_of(args.sequences, args.training);
  const Bytes bytes = s.prepare(queue, args.sequences, args.training);
  for (;;) {
    const cudnnRNNAlgo_t algorithm = s.algorithm_for(batch);
    const Outcome outcome = try_forward(s, algorithm, batch, bytes, args);
    if (s.tries_again(queue, outcome.action, batch, algorithm, outcome.status)) continue;
    if (args.training) s.wrote_reserve(args.reserve, algorithm);
    return;
  }
}

void CudnnRnn::backward(const Queue& queue, const CudnnBackwardArgs& args) const {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  const CudnnBatch batch = batch_of(args.sequences, true);
  const Bytes bytes = s.prepare(queue, args.sequences, true);
  void* const repeated_y =
      static_cast<unsigned char*>(args.workspace) + bytes.workspace - bytes.repeated_y;
  CudnnBackwardArgs own = args;
  cudnnRNNAlgo_t written_by = s.writer_of(args.reserve, batch);
  for (;;) {
    const cudnnRNNAlgo_t algorithm = s.algorithm_for(batch);
    Outcome outcome{CUDNN_STATUS_SUCCESS, ""};
    if (algorithm != written_by) {
      outcome = try_forward(s, algorithm, batch, bytes, forward_of(args, repeated_y));
      own.y = repeated_y;
      written_by = algorithm;
    }
    if (outcome.status == CUDNN_STATUS_SUCCESS) {
      outcome = try_backward(s, algorithm, batch, bytes, queue, own);
    }
    if (s.tries_again(queue, outcome.action, batch, algorithm, outcome.status)) continue;
    return s.consumed_reserve(args.reserve);
  }
}

}  // namespace sluice

#else  // SLUICE_WITH_CUDNN

namespace sluice {

struct CudnnRnn::State {};

CudnnRnn::CudnnRnn(const CudnnRnnConfig& config) : config_(config) {
  throw Error::usage("algorithm cudnn: " + cudnn_presence().problem + ", or use another algorithm");
}
CudnnRnn::Bytes CudnnRnn::bytes(std::int32_t, std::int32_t, bool) const { return {}; }
CudnnRnn::Choice CudnnRnn::choice(const CudnnBatch&) const { return {}; }
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
