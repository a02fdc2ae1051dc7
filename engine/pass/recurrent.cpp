#include "engine/recurrent.h"

#include <algorithm>

#include "engine/choice/algorithm_choice.h"
#include "engine/choice/pass_schedule.h"
#include "engine/choice/wavefront_cut.h"
#include "engine/loops/cudnn_pass.h"
#include "engine/loops/time_loop.h"
#include "engine/pass/pass_memory.h"
#include "kernels/base/error.h"

namespace sluice {

RecurrentPlan::RecurrentPlan(const RecurrentConfig& config, DeviceKind device, Algorithm algorithm,
                             std::int32_t chunk_steps)
    : config_(config), device_(device), options_{algorithm}, chunk_steps_(chunk_steps) {
  recurrent_parameters(config);  // checks the configuration
  require(chunk_steps >= 0,
          "RecurrentPlan: chunk_steps: expected 0 or more, got " + std::to_string(chunk_steps));
  if (algorithm != Algorithm::automatic) {
    check_algorithm(algorithm);
    reason_ = "the caller asked for it";
    if (is_cudnn(algorithm)) cudnn_ = std::make_shared<const CudnnPass>(config_, algorithm);
    if (device == DeviceKind::cuda)
      gpu_ = std::make_shared<const GpuDescription>(described_device(config_));
  } else if (device == DeviceKind::cuda) {
    find_options_on_cuda();
  } else if (why_not(Algorithm::row_blocks, config, device).empty()) {
    options_ = {Algorithm::row_blocks};
    reason_ =
        "rows are independent, so each thread takes its own through all steps without a barrier";
  } else {
    options_ = {Algorithm::stepwise};
    reason_ = "it is the one that takes 16-bit types on the CPU";
  }
}

void RecurrentPlan::check_algorithm(Algorithm algorithm) const {
  const std::string why = why_not(algorithm, config_, device_);
  if (why.empty()) return;
  const bool row_blocks = why_not(Algorithm::row_blocks, config_, device_).empty();
  throw Error::usage(std::string("RecurrentPlan: algorithm ") + name_of(algorithm) +
                     " does not fit: " + why + "; use " + (row_blocks ? "row_blocks" : "stepwise") +
                     " or automatic");
}

// Those that take a batch of one row: what does not, takes no other either.
void RecurrentPlan::find_options_on_cuda() {
  const PassShape one{.rows = 1, .steps = 1, .batch = 1};
  GpuDescription gpu = described_device(config_);
  if (gpu.why_not_cudnn.empty()) {
    try {
      cudnn_ = std::make_shared<const CudnnPass>(config_, Algorithm::cudnn);
      cudnn_->workspace_bytes(one);  // where cuDNN says what it does not take
    } catch (const Error& error) {
      cudnn_ = nullptr;  // nobody asked for it: the others do
      gpu.why_not_cudnn = error.what();
    }
  }
  gpu_ = std::make_shared<const GpuDescription>(gpu);
  options_.clear();
  for (const AlgorithmCandidate& candidate : algorithm_candidates(config_, one, *gpu_)) {
    if (candidate.why_not.empty()) options_.push_back(candidate.algorithm);
  }
}

Algorithm RecurrentPlan::algorithm(const PassShape& shape) const {
  if (options_.size() == 1) return options_.front();
  return algorithm_candidates(config_, shape, *gpu_).front().algorithm;
}

int RecurrentPlan::lanes() const {
  int lanes = 1;
  for (const Algorithm option : options_)
    lanes = std::max(lanes, most_lanes_of(config_, device_, option));
  return lanes;
}

PassSchedule RecurrentPlan::schedule(const PassShape& shape, RecurrentPass pass) const {
  return pass_schedule({config_, device_, algorithm(shape), chunk_steps_, gpu_.get()}, shape, pass);
}

std::size_t RecurrentPlan::reserve_bytes(const PassShape& shape, Algorithm algorithm) const {
  if (!shape.training) return 0;
  if (is_cudnn(algorithm)) return cudnn_->reserve_bytes(shape);
  Carver carver(nullptr);
  PassReserve(carver, config_, {.algorithm = algorithm, .rule = {}}, shape, true);
  return carver.used();
}

std::size_t RecurrentPlan::workspace_bytes(const PassShape& shape, Algorithm algorithm) const {
  if (is_cudnn(algorithm)) return cudnn_->workspace_bytes(shape);
  const auto loop = [&](RecurrentPass pass) {
    return time_loop(algorithm, {.config = config_,
                                 .device = device_,
                                 .pass = pass,
                                 .batch = shape.batch,
                                 .drops = shape.training});
  };
  const auto forward = loop(RecurrentPass::forward), backward = loop(RecurrentPass::backward);
  std::size_t bytes = 0;
  for (const bool overlapping : {false, true}) {
    if (overlapping && most_lanes_of(config_, device_, algorithm) == 1) continue;
    const PassSchedule schedule = roomiest_schedule(
        {config_, device_, algorithm, chunk_steps_, gpu_.get()}, shape, overlapping);
    Carver of_forward(nullptr), of_backward(nullptr);
    PassWorkspace(of_forward, *forward, schedule, shape);
    PassReserve(of_forward, config_, schedule, shape, false);
    if (shape.training) PassWorkspace(of_backward, *backward, schedule, shape);
    bytes = std::max({bytes, of_forward.used(), of_backward.used()});
  }
  return bytes;
}

// A smaller shape may run by another algorithm: each has room.
std::size_t RecurrentPlan::reserve_bytes(const PassShape& shape) const {
  std::size_t bytes = 0;
  for (const Algorithm option : options_) bytes = std::max(bytes, reserve_bytes(shape, option));
  return bytes;
}

std::size_t RecurrentPlan::workspace_bytes(const PassShape& shape) const {
  std::size_t bytes = 0;
  for (const Algorithm option : options_) bytes = std::max(bytes, workspace_bytes(shape, option));
  return bytes;
}

}  // namespace sluice
