#include "kernels/cudnn_rnn.h"

#include "kernels/error.h"

#ifdef SLUICE_WITH_CUDNN

#include <mutex>

#include "kernels/convert.h"
#include "kernels/cudnn_session.h"
#include "kernels/device.h"

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
  const CudnnBatch batch = batch_of(args.sequences, args.training);
  const Bytes bytes = s.prepare(queue, args.sequences, args.training);
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
  const CudnnBatch batch = batch_of(args.sequences, true);
  const Bytes bytes = s.prepare(queue, args.sequences, true);
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
