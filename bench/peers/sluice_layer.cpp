#include "bench/peers/sluice_layer.h"

#include "engine/choice/algorithm_choice.h"
#include "host/buffer.h"
#include "host/version.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/lanes.h"

namespace sluice::bench {
namespace {

class SluiceLayer : public PreparedLayer {
 public:
  SluiceLayer(const Queue& queue, const RecurrentPlan& plan, const LayerProblem& problem,
              const std::vector<float>& parameters, const InputRing& ring)
      : queue_(queue), plan_(plan), problem_(problem), ring_(ring), layout_(problem.layout()) {
    const RecurrentConfig& config = problem.config;
    const std::size_t number = size_of(config.data_type), rows = problem.rows();
    parameters_ = Buffer(queue, parameters.size() * number);
    upload_numbers(queue, parameters_.data(), config.data_type, parameters.data(),
                   parameters.size());
    y_ = Buffer(queue, rows * config.output_size() * number);
    workspace_ = Buffer(queue, plan.workspace_bytes(problem.shape()));
    arrangement_ = Buffer(queue, SequenceLayout::device_bytes(rows, problem.steps, problem.batch));
    sequences_ = layout_.upload(queue, arrangement_.data());
    add_lanes(queue, plan.lanes());
    if (problem.training) {
      reserve_ = Buffer(queue, plan.reserve_bytes(problem.shape()));
      dx_ = Buffer(queue, rows * config.input_size * number);
      d_parameters_ = Buffer(queue, parameters.size() * size_of(state_type(config.data_type)));
    }
  }

  void run(std::uint64_t pass) override {
    const RecurrentConfig& config = problem_.config;
    const void* const x = ring_.piece(problem_.rows() * config.input_size, pass);
    plan_.forward(queue_, {.sequences = sequences_,
                           .parameters = parameters_.data(),
                           .x = x,
                           .y = y_.data(),
                           .reserve = reserve_.data(),
                           .workspace = workspace_.data(),
                           .seed = 1});
    if (!problem_.training) return;
    const void* const dy = ring_.second_piece(problem_.rows() * config.output_size(), pass);
    plan_.backward(queue_, {.sequences = sequences_,
                            .parameters = parameters_.data(),
                            .x = x,
                            .y = y_.data(),
                            .dy = dy,
                            .dx = dx_.data(),
                            .d_parameters = d_parameters_.data(),
                            .reserve = reserve_.data(),
                            .workspace = workspace_.data(),
                            .seed = 1});
  }

  std::vector<NamedOutput> outputs() override {
    run(0);
    const RecurrentConfig& config = problem_.config;
    std::vector<NamedOutput> found;
    const DataType type = config.data_type, gradients = state_type(type);
    found.push_back({"y", fetch(y_.data(), type, problem_.rows() * config.output_size())});
    if (!problem_.training) return found;
    found.push_back({"dx", fetch(dx_.data(), type, problem_.rows() * config.input_size)});
    for (const ParameterView& view : recurrent_parameters(config)) {
      const auto* from = d_parameters_.as<std::byte>() + view.offset * size_of(gradients);
      found.push_back({"d " + view.name, fetch(from, gradients, view.size())});
    }
    return found;
  }

  std::string algorithm() const override {
    return name_of(
        plan_.algorithm({problem_.rows(), problem_.steps, problem_.batch, problem_.training}));
  }
  std::size_t bytes() const override {
    return parameters_.bytes() + y_.bytes() + dx_.bytes() + d_parameters_.bytes() +
           reserve_.bytes() + workspace_.bytes() + arrangement_.bytes();
  }

 private:
  std::vector<float> fetch(const void* from, DataType type, std::int64_t count) const {
    std::vector<float> values(static_cast<std::size_t>(count));
    download_numbers(queue_, values.data(), type, from, count);
    return values;
  }

  Queue queue_;
  RecurrentPlan plan_;
  LayerProblem problem_;
  const InputRing& ring_;
  SequenceLayout layout_;
  Sequences sequences_;
  Buffer parameters_, y_, dx_, d_parameters_, reserve_, workspace_, arrangement_;
};

// Every algorithm of the engine, in the order of their numbers.
std::vector<Algorithm> all_algorithms() {
  std::vector<Algorithm> all;
  for (int i = 0; std::string(name_of(static_cast<Algorithm>(i))) != "?"; ++i) {
    all.push_back(static_cast<Algorithm>(i));
  }
  return all;
}

// What the engine would choose for this shape if there were no cuDNN.
Algorithm own_algorithm(const LayerProblem& problem, DeviceKind device) {
  if (device == DeviceKind::cpu) return Algorithm::automatic;
  GpuDescription gpu = described_device(problem.config);
  gpu.why_not_cudnn = "Sluice's own are asked for";
  return algorithm_candidates(problem.config, problem.shape(), gpu).front().algorithm;
}

constexpr const char* kOwn = "own";

struct SluicePeer : LayerPeer {
  Queue queue;
  Algorithm algorithm = Algorithm::automatic;
  bool own = false;

  std::unique_ptr<PreparedLayer> prepare(const LayerProblem& problem,
                                         const std::vector<float>& parameters,
                                         const InputRing& ring) const override try {
    const RecurrentPlan plan(problem.config, queue.device,
                             own ? own_algorithm(problem, queue.device) : algorithm);
    return std::make_unique<SluiceLayer>(queue, plan, problem, parameters, ring);
  } catch (const Error& error) {
    throw Refusal(error.what());
  }
};

}  // namespace

std::unique_ptr<LayerPeer> sluice_peer(const Queue& queue, const std::string& algorithm) {
  auto peer = std::make_unique<SluicePeer>();
  peer->queue = queue;
  peer->name = algorithm.empty() ? "sluice" : "sluice:" + algorithm;
  peer->version = version;
  if (algorithm.empty()) return peer;
  peer->own = algorithm == kOwn;
  if (peer->own) return peer;
  std::string known = kOwn;
  for (const Algorithm each : all_algorithms()) {
    known += std::string(", ") + name_of(each);
    if (algorithm == name_of(each)) {
      peer->algorithm = each;
      return peer;
    }
  }
  throw Error::usage("no algorithm is called '" + algorithm + "'; there are " + known);
}

}  // namespace sluice::bench
