#include "engine/recurrent.h"

#include <algorithm>

#include "engine/choice/algorithm_choice.h"
#include "engine/choice/wavefront_cut.h"
#include "engine/loops/cudnn_pass.h"
#include "engine/loops/persistent_layer.h"
#include "engine/pass/pass_memory.h"
#include "engine/pass/pass_schedule.h"
#include "engine/pass/step_chunks.h"
#include "kernels/base/error.h"

namespace sluice {

const char* name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::automatic: return "automatic";
    case Algorithm::stepwise: return "stepwise";
    case Algorithm::row_blocks: return "row_blocks";
    case Algorithm::persistent_block: return "persistent_block";
    case Algorithm::persistent_cluster: return "persistent_cluster";
    case Algorithm::persistent_grid: return "persistent_grid";
    case Algorithm::cudnn: return "cudnn";
    case Algorithm::cudnn_standard: return "cudnn_standard";
    case Algorithm::cudnn_persist_static: return "cudnn_persist_static";
    case Algorithm::cudnn_persist_dynamic: return "cudnn_persist_dynamic";
    case Algorithm::cudnn_persist_static_small_h: return "cudnn_persist_static_small_h";
  }
  return "?";
}

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
  } else if (is_16_bit(config.data_type)) {
    options_ = {Algorithm::stepwise};
    reason_ = "it is the one that takes 16-bit types on the CPU";
  } else {
    options_ = {Algorithm::row_blocks};
    reason_ =
        "rows are independent, so each thread takes its own through all steps without a barrier";
  }
}

void RecurrentPlan::check_algorithm(Algorithm algorithm) const {
  const std::string name = std::string("RecurrentPlan: algorithm ") + name_of(algorithm);
  if (algorithm == Algorithm::stepwise) return;
  if (algorithm == Algorithm::row_blocks) {
    require(device_ == DeviceKind::cpu,
            name + " runs on the CPU alone; use stepwise or automatic on CUDA");
    return require(!is_16_bit(config_.data_type), name + " takes float32 and float64, got " +
                                                      sluice::name_of(config_.data_type) +
                                                      "; use stepwise or automatic");
  }
  require(device_ == DeviceKind::cuda,
          name + " runs on CUDA alone; use row_blocks or automatic on the CPU");
  if (!is_persistent(algorithm)) return;
  const PersistentFit fit = persistent_fit_of_training(config_, algorithm, 1);
  require(fit.fits, name + " does not fit: " + fit.why_not + "; use stepwise or automatic");
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
  PassSchedule schedule{.algorithm = algorithm(shape),
                        .rule = chunk_rule(config_, device_, chunk_steps_)};
  if (most_lanes_of(config_, device_, schedule.algorithm) == 1) {
    if (is_persistent(schedule.algorithm)) schedule.rule = chunk_rule(config_, device_, 0);
    return schedule;
  }
  const AlgorithmCandidate candidate =
      algorithm_candidate(config_, shape, *gpu_, schedule.algorithm);
  const WavefrontCut cut = chunk_steps_ > 0 ? WavefrontCut{candidate.most_lanes(pass), chunk_steps_}
                                            : candidate.wavefront(pass);
  schedule.lanes = cut.lanes;
  const bool whole = is_persistent(schedule.algorithm) && cut.lanes == 1;
  schedule.rule = {0, whole ? 0 : cut.chunk_steps};
  return schedule;
}

// Takes at least as much memory as any schedule of this or a smaller shape.
PassSchedule RecurrentPlan::roomiest_schedule(const PassShape& shape, Algorithm algorithm,
                                              bool overlapping) const {
  PassSchedule schedule{.algorithm = algorithm, .rule = chunk_rule(config_, device_, 0)};
  if (chunk_steps_ > 0 && !is_persistent(algorithm)) schedule.rule = {0, chunk_steps_};
  if (overlapping) {
    schedule.lanes = most_lanes_of(config_, device_, algorithm);
    const std::int32_t chunk = (shape.steps + schedule.lanes - 1) / schedule.lanes + 1;
    schedule.rule = {0, chunk_steps_ > 0 || config_.bidirectional ? chunk_steps_ : chunk};
  }
  return schedule;
}

std::size_t RecurrentPlan::reserve_bytes(const PassShape& shape, Algorithm algorithm) const {
  if (!shape.training) return 0;
  if (is_cudnn(algorithm)) return cudnn_->reserve_bytes(shape);
  Carver carver(nullptr);
  PassReserve(carver, config_, {.algorithm = algorithm, .rule = {}}, shape, true);
  return carver.used();
}

std::size_t RecurrentPlan::workspace_bytes(const PassShape& shape,
                                           const PassSchedule& schedule) const {
  Carver forward(nullptr), backward(nullptr);
  PassWorkspace(forward, config_, device_, schedule, shape, false);
  PassReserve(forward, config_, schedule, shape, false);
  if (shape.training) PassWorkspace(backward, config_, device_, schedule, shape, true);
  return std::max(forward.used(), backward.used());
}

std::size_t RecurrentPlan::workspace_bytes(const PassShape& shape, Algorithm algorithm) const {
  if (is_cudnn(algorithm)) return cudnn_->workspace_bytes(shape);
  std::size_t bytes = workspace_bytes(shape, roomiest_schedule(shape, algorithm, false));
  if (most_lanes_of(config_, device_, algorithm) > 1) {
    bytes = std::max(bytes, workspace_bytes(shape, roomiest_schedule(shape, algorithm, true)));
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
