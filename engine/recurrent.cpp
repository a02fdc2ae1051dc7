#include "engine/recurrent.h"

#include <algorithm>
#include <sstream>
#include <thread>

#include "engine/cudnn_pass.h"
#include "engine/pass_memory.h"
#include "engine/persistent_layer.h"
#include "engine/step_chunks.h"
#include "kernels/error.h"
#include "kernels/instruction_set.h"
#include "kernels/recurrence.h"

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
    : config_(config), device_(device), algorithm_(algorithm), chunk_steps_(chunk_steps) {
  recurrent_parameters(config);  // checks the configuration
  require(chunk_steps >= 0, "RecurrentPlan: chunk_steps: expected 0 or more, got " +
                                std::to_string(chunk_steps));
  if (algorithm == Algorithm::automatic) {
    if (device == DeviceKind::cpu && is_16_bit(config.data_type)) {
      algorithm_ = Algorithm::stepwise;
      reason_ = "it is the one that takes 16-bit types on the CPU";
    } else if (device == DeviceKind::cpu) {
      algorithm_ = Algorithm::row_blocks;
      reason_ = "rows are independent, so each thread takes its own through all steps without a barrier";
    } else {
      choose_on_cuda();
    }
  } else {
    require(algorithm != Algorithm::row_blocks || device == DeviceKind::cpu,
            "RecurrentPlan: algorithm row_blocks runs on the CPU alone; use stepwise or automatic on CUDA");
    require(!is_cudnn(algorithm) || device == DeviceKind::cuda,
            std::string("RecurrentPlan: algorithm ") + name_of(algorithm) +
                " runs on CUDA alone; use row_blocks or automatic on the CPU");
    if (is_persistent(algorithm)) {
      require(device == DeviceKind::cuda, std::string("RecurrentPlan: algorithm ") + name_of(algorithm) +
                                              " runs on CUDA alone; use row_blocks or automatic on the CPU");
      const PersistentFit fit = persistent_fit_of_training(config, algorithm, 1);
      require(fit.fits, std::string("RecurrentPlan: algorithm ") + name_of(algorithm) +
                            " does not fit: " + fit.why_not + "; use stepwise or automatic");
    }
    require(algorithm != Algorithm::row_blocks || !is_16_bit(config.data_type),
            std::string("RecurrentPlan: algorithm row_blocks takes float32 and float64, got ") +
                sluice::name_of(config.data_type) + "; use stepwise or automatic");
    reason_ = "the caller asked for it";
  }
  if (is_cudnn(algorithm_)) cudnn_ = std::make_shared<const CudnnPass>(config_, algorithm_);
}

void RecurrentPlan::choose_on_cuda() {
  std::string refused;
  for (const Algorithm algorithm : {Algorithm::persistent_block, Algorithm::persistent_cluster}) {
    const PersistentFit fit = persistent_fit_of_training(config_, algorithm, 1);
    if (fit.fits) {
      algorithm_ = algorithm;
      reason_ = "the recurrent weights fit " +
                (fit.blocks == 1 ? std::string("an SM")
                                 : "the " + std::to_string(fit.blocks) + " SMs of a cluster") +
                " and stay there for all steps";
      return;
    }
    refused += std::string(refused.empty() ? "" : "; ") + name_of(algorithm) + " does not fit: " + fit.why_not;
  }
  algorithm_ = Algorithm::stepwise;
  reason_ = "it takes every shape (" + refused + ")";
}

std::size_t RecurrentPlan::reserve_bytes(const PassShape& shape) const {
  if (!shape.training) return 0;
  if (cudnn_ != nullptr) return cudnn_->reserve_bytes(shape);
  Carver carver(nullptr);
  PassReserve(carver, config_, algorithm_, shape.rows, shape.rows, true);
  return carver.used();
}

std::size_t RecurrentPlan::workspace_bytes(const PassShape& shape) const {
  if (cudnn_ != nullptr) return cudnn_->workspace_bytes(shape);
  const std::int64_t chunk_rows =
      chunk_rule(config_, device_, is_persistent(algorithm_) ? 0 : chunk_steps_).largest(shape);
  Carver forward(nullptr), backward(nullptr);
  PassWorkspace(forward, config_, device_, algorithm_, shape, chunk_rows, false);
  PassReserve(forward, config_, algorithm_, shape.rows, chunk_rows, false);
  if (shape.training) PassWorkspace(backward, config_, device_, algorithm_, shape, chunk_rows, true);
  return std::max(forward.used(), backward.used());
}

std::string RecurrentPlan::fit_text(const PassShape& shape) const {
  if (!is_persistent(algorithm_)) return "";
  std::ostringstream text;
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    if (pass == RecurrentPass::backward && !shape.training) continue;
    const PersistentFit fit = persistent_fit(
        persistent_limits(),
        persistent_request(config_, algorithm_, pass, shape.batch,
                           shape.training && config_.recurrent_dropout > 0.0));
    text << "\n" << (pass == RecurrentPass::forward ? "forward: " : "backward: ")
         << fit.groups * config_.directions() << " groups of " << fit.rows << " rows in "
         << fit.blocks << (fit.blocks == 1 ? " block" : " blocks") << " each, in "
         << fit.waves(config_.directions()) << " waves; a block has " << fit.threads
         << " threads and " << fit.shared_bytes << " bytes of shared memory";
  }
  return text.str();
}

// How the threads of this machine would share a pass out.
std::string RecurrentPlan::threads_text(const PassShape& shape) const {
  if (algorithm_ != Algorithm::row_blocks) return "";
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int members =
      recurrence_members({config_.cell, config_.data_type, config_.hidden_size}, shape.batch, threads);
  return "\nthreads: of " + std::to_string(threads) +
         (members == 1 ? ", each takes rows of its own"
                       : ", " + std::to_string(members) +
                             " share the units of a row, since the recurrent weights are many for one "
                             "core's cache or rows are few");
}

std::string RecurrentPlan::explain(const PassShape& shape) const {
  const bool asks_tf32 = config_.math == MatrixMath::tf32 && config_.data_type == DataType::float32;
  const bool tf32 = asks_tf32 && device_ == DeviceKind::cuda;
  std::ostringstream text;
  text << sluice::name_of(config_.cell) << ", input " << config_.input_size << ", hidden "
       << config_.hidden_size << ", " << config_.num_layers
       << (config_.num_layers == 1 ? " layer" : " layers")
       << (config_.bidirectional ? ", both directions" : "") << ", "
       << sluice::name_of(config_.data_type) << (tf32 ? " multiplied as TF32" : "") << ", T "
       << shape.steps << ", B " << shape.batch << ", N " << shape.rows
       << (shape.training ? ", training" : ", inference") << " on "
       << (device_ == DeviceKind::cpu ? std::string("the CPU (") + sluice::name_of(instruction_set()) + ")"
                                      : std::string("CUDA"))
       << (asks_tf32 && !tf32 ? "; products are IEEE float32, since the CPU has no TF32" : "")
       << "\nalgorithm: " << name_of(algorithm_) << ", because " << reason_ << fit_text(shape)
       << threads_text(shape);
  if (cudnn_ != nullptr) {
    text << "\n" << cudnn_->explain(shape);
  } else {
    text << "\nchunks: at most " << chunk_rule(config_, device_, is_persistent(algorithm_) ? 0 : chunk_steps_).largest(shape)
         << " rows are taken from x to h together";
  }
  text << "\nmemory: workspace " << workspace_bytes(shape) << " bytes, reserve "
       << reserve_bytes(shape) << " bytes\nfaster: ";
  const char* advice = "nothing known";
  if (device_ == DeviceKind::cpu) {
    if (is_16_bit(config_.data_type)) {
      advice = "float32: the CPU widens 16-bit numbers for each product, for correctness' sake alone";
    } else if (algorithm_ == Algorithm::stepwise) {
      advice = "row_blocks, which has no barrier at each step";
    } else if (config_.data_type == DataType::float64) {
      advice = "float32; float64 is meant for gradient checks";
    } else if (shape.batch < 8) {
      advice = "a batch of 8 rows or more: fewer leave a thread's vector registers half empty";
    } else if (shape.rows == std::int64_t{shape.steps} * shape.batch && shape.training) {
      advice = "if rows are padded, pass their lengths: a finished row costs nothing";
    }
  } else {
    advice = "larger batches, which cost a step little more";
  }
  text << advice << "\n";
  return text.str();
}

}  // namespace sluice
