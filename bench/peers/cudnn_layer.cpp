#include "bench/peers/cudnn_layer.h"

#include "host/buffer.h"
#include "kernels/base/error.h"
#include "kernels/cudnn/cudnn_rnn.h"

namespace sluice::bench {
namespace {

constexpr CudnnAlgorithm algorithms[] = {CudnnAlgorithm::standard, CudnnAlgorithm::persist_static,
                                         CudnnAlgorithm::persist_dynamic,
                                         CudnnAlgorithm::persist_static_small_h};

CudnnRnnConfig cudnn_config(const RecurrentConfig& c, CudnnAlgorithm algorithm) {
  return {.cell = c.cell,
          .type = c.data_type,
          .math = c.math,
          .input_size = c.input_size,
          .hidden_size = c.hidden_size,
          .num_layers = c.num_layers,
          .bidirectional = c.bidirectional,
          .algorithm = algorithm};
}

class CudnnLayer : public PreparedLayer {
 public:
  CudnnLayer(const Queue& queue, CudnnAlgorithm algorithm, const LayerProblem& problem,
             const std::vector<float>& parameters, const InputRing& ring)
      : queue_(queue),
        rnn_(cudnn_config(problem.config, algorithm)),
        problem_(problem),
        ring_(ring),
        layout_(problem.layout()),
        parameter_count_(static_cast<std::int64_t>(parameters.size())) {
    const RecurrentConfig& c = problem.config;
    const std::size_t number = size_of(c.data_type), rows = problem.rows();
    const CudnnRnn::Bytes bytes = rnn_.bytes(problem.steps, problem.batch, problem.training);
    weights_ = Buffer(queue, bytes.weights);
    workspace_ = Buffer(queue, bytes.workspace);
    y_ = Buffer(queue, rows * c.output_size() * number);
    arrangement_ = Buffer(queue, SequenceLayout::device_bytes(rows, problem.steps, problem.batch));
    sequences_ = layout_.upload(queue, arrangement_.data());
    flat_ = Buffer(queue, parameters.size() * size_of(state_type(c.data_type)));
    upload_numbers(queue, flat_.data(), c.data_type, parameters.data(), parameter_count_);
    rnn_.load_weights(queue, flat_.data(), weights_.data());
    synchronize(queue);
    if (!problem.training) return;
    reserve_ = Buffer(queue, bytes.reserve);
    dx_ = Buffer(queue, rows * c.input_size * number);
    d_weights_ = Buffer(queue, bytes.weights);
  }

  void run(std::uint64_t pass) override {
    const RecurrentConfig& c = problem_.config;
    const void* const x = ring_.piece(problem_.rows() * c.input_size, pass);
    rnn_.forward(queue_, {.sequences = sequences_,
                          .training = problem_.training,
                          .weights = weights_.data(),
                          .x = x,
                          .y = y_.data(),
                          .workspace = workspace_.data(),
                          .reserve = reserve_.data()});
    if (!problem_.training) return;
    rnn_.backward(queue_, {.sequences = sequences_,
                           .weights = weights_.data(),
                           .x = x,
                           .y = y_.data(),
                           .dy = ring_.second_piece(problem_.rows() * c.output_size(), pass),
                           .dx = dx_.data(),
                           .d_weights = d_weights_.data(),
                           .workspace = workspace_.data(),
                           .reserve = reserve_.data()});
  }

  std::vector<NamedOutput> outputs() override {
    run(0);
    const RecurrentConfig& c = problem_.config;
    std::vector<NamedOutput> found;
    found.push_back({"y", fetch(y_.data(), c.data_type, problem_.rows() * c.output_size())});
    if (!problem_.training) return found;
    found.push_back({"dx", fetch(dx_.data(), c.data_type, problem_.rows() * c.input_size)});
    const DataType gradients = state_type(c.data_type);
    rnn_.store_gradients(queue_, d_weights_.data(), flat_.data());
    for (const ParameterView& view : recurrent_parameters(c)) {
      const auto* from = flat_.as<std::byte>() + view.offset * size_of(gradients);
      found.push_back({"d " + view.name, fetch(from, gradients, view.size())});
    }
    return found;
  }

  std::string algorithm() const override { return name_of(rnn_.config().algorithm); }

  std::size_t bytes() const override {
    return weights_.bytes() + workspace_.bytes() + reserve_.bytes() + y_.bytes() + dx_.bytes() +
           d_weights_.bytes();
  }

 private:
  std::vector<float> fetch(const void* from, DataType type, std::int64_t count) const {
    std::vector<float> values(static_cast<std::size_t>(count));
    download_numbers(queue_, values.data(), type, from, count);
    return values;
  }

  Queue queue_;
  CudnnRnn rnn_;
  LayerProblem problem_;
  const InputRing& ring_;
  SequenceLayout layout_;
  Sequences sequences_;
  std::int64_t parameter_count_;
  Buffer weights_, workspace_, reserve_, y_, dx_, d_weights_, arrangement_;
  Buffer flat_;  // parameters, later their gradients of state_type
};

struct CudnnPeer : LayerPeer {
  Queue queue;
  CudnnAlgorithm algorithm = CudnnAlgorithm::standard;

  std::unique_ptr<PreparedLayer> prepare(const LayerProblem& problem,
                                         const std::vector<float>& parameters,
                                         const InputRing& ring) const override {
    const RecurrentConfig& c = problem.config;
    if (c.input_dropout + c.layer_dropout + c.recurrent_dropout > 0.0) {
      throw Refusal("cuDNN has no dropout whose mask is constant over time");
    }
    try {
      return std::make_unique<CudnnLayer>(queue, algorithm, problem, parameters, ring);
    } catch (const Error& error) {  // in cuDNN's words
      throw Refusal(error.what());
    }
  }
};

}  // namespace

std::vector<std::string> cudnn_algorithms() {
  std::vector<std::string> names;
  for (const CudnnAlgorithm each : algorithms) names.push_back(name_of(each));
  return names;
}

std::unique_ptr<LayerPeer> cudnn_peer(const Queue& queue, const std::string& algorithm) {
  auto peer = std::make_unique<CudnnPeer>();
  peer->queue = queue;
  peer->name = "cudnn:" + algorithm;
  if (queue.device != DeviceKind::cuda) peer->absent = "runs on a CUDA device alone";
  const CudnnPresence& presence = cudnn_presence();
  if (peer->absent.empty()) peer->absent = presence.problem;
  peer->version = cudnn_version_text(presence.version);
  std::string known;
  for (const CudnnAlgorithm each : algorithms) {
    known += std::string(known.empty() ? "" : ", ") + name_of(each);
    if (algorithm == name_of(each)) {
      peer->algorithm = each;
      return peer;
    }
  }
  throw Error::usage("cuDNN has no algorithm '" + algorithm + "'; there are " + known);
}

}  // namespace sluice::bench
