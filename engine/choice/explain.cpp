// RecurrentPlan::explain().
#include <algorithm>
#include <iomanip>
#include <sstream>
#include <thread>

#include "engine/choice/algorithm_choice.h"
#include "engine/loops/cudnn_pass.h"
#include "engine/loops/persistent_layer.h"
#include "engine/pass/pass_schedule.h"
#include "engine/pass/step_chunks.h"
#include "engine/recurrent.h"
#include "kernels/device/instruction_set.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {
namespace {

void describe_call(std::ostream& text, const RecurrentConfig& config, const PassShape& shape,
                   DeviceKind device) {
  const bool asks_tf32 = config.math == MatrixMath::tf32 && config.data_type == DataType::float32;
  const bool tf32 = asks_tf32 && device == DeviceKind::cuda;
  text << name_of(config.cell) << ", input " << config.input_size << ", hidden "
       << config.hidden_size << ", " << config.num_layers
       << (config.num_layers == 1 ? " layer" : " layers")
       << (config.bidirectional ? ", both directions" : "") << ", " << name_of(config.data_type)
       << (tf32 ? " multiplied as TF32" : "") << ", T " << shape.steps << ", B " << shape.batch
       << ", N " << shape.rows << (shape.training ? ", training" : ", inference") << " on "
       << (device == DeviceKind::cpu ? std::string("the CPU (") + name_of(instruction_set()) + ")"
                                     : std::string("CUDA"))
       << (asks_tf32 && !tf32 ? "; products are IEEE float32, since the CPU has no TF32" : "");
}

// How the threads of this machine would share a pass of row_blocks out.
void describe_threads(std::ostream& text, const RecurrentConfig& config, const PassShape& shape) {
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int members =
      recurrence_members({config.cell, config.data_type, config.hidden_size}, shape.batch, threads);
  text << "\nthreads: of " << threads;
  if (members == 1) {
    text << ", each takes rows of its own";
  } else {
    text << ", " << members
         << " share the units of a row, since the recurrent weights are many for "
         << "one core's cache or rows are few";
  }
}

void describe_time(std::ostream& text, const PassTime& time, bool training) {
  text << std::fixed << std::setprecision(3) << time.forward * 1e3 << " ms forward";
  if (training) text << ", " << time.backward * 1e3 << " ms backward";
}

// One line for each algorithm: what it is expected to take, or why it does not take the call.
void describe_candidates(std::ostream& text, const std::vector<AlgorithmCandidate>& candidates,
                         const PassShape& shape) {
  for (const AlgorithmCandidate& candidate : candidates) {
    text << "\n  " << name_of(candidate.algorithm) << ": ";
    if (!candidate.why_not.empty()) {
      text << "not here, since " << candidate.why_not;
      continue;
    }
    describe_time(text, candidate.cost.predicted, shape.training);
    text << " (" << candidate.cut << ")";
  }
}

void describe_cut(std::ostream& text, const RecurrentConfig& config, const PassShape& shape,
                  Algorithm algorithm) {
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    if (pass == RecurrentPass::backward && !shape.training) continue;
    const PersistentFit fit = persistent_fit(
        persistent_limits(), persistent_request(config, algorithm, pass, shape.batch,
                                                shape.training && config.recurrent_dropout > 0.0));
    text << "\n"
         << (pass == RecurrentPass::forward ? "forward: " : "backward: ")
         << fit.groups * config.directions() << " groups of " << fit.rows << " rows in "
         << fit.blocks << (fit.blocks == 1 ? " block" : " blocks") << " each, in "
         << fit.waves(config.directions()) << " waves; a block has " << fit.threads
         << " threads and " << fit.shared_bytes << " bytes of shared memory";
  }
}

void describe_chunks(std::ostream& text, const RecurrentConfig& config, const PassShape& shape,
                     const PassSchedule& schedule) {
  const std::int64_t rows = schedule.rule.largest(shape);
  text << "at most " << rows << " rows are taken from x to h together";
  if (schedule.lanes > 1 && config.bidirectional) {
    text << ", and the two directions overlap, if the queue has 2 lanes";
  } else if (schedule.lanes > 1) {
    text << ", and " << schedule.lanes << " layers overlap, each " << schedule.rule.steps
         << " steps behind the one before it, if the queue has " << schedule.lanes << " lanes";
  }
}

const char* advice_on_cpu(const RecurrentConfig& config, const PassShape& shape,
                          Algorithm algorithm) {
  if (is_16_bit(config.data_type)) {
    return "float32: the CPU widens 16-bit numbers for each product, for correctness' sake alone";
  }
  if (algorithm == Algorithm::stepwise) return "row_blocks, which has no barrier at each step";
  if (config.data_type == DataType::float64) return "float32; float64 is meant for gradient checks";
  if (shape.batch < 8) {
    return "a batch of 8 rows or more: fewer leave a thread's vector registers half empty";
  }
  if (shape.rows == std::int64_t{shape.steps} * shape.batch && shape.training) {
    return "if rows are padded, pass their lengths: a finished row costs nothing";
  }
  return "nothing known";
}

const char* advice_on_cuda(const RecurrentConfig& config, Algorithm algorithm) {
  if (config.data_type == DataType::float64) return "float32; float64 is meant for gradient checks";
  if (config.data_type == DataType::float32 && config.math == MatrixMath::ieee) {
    return "bfloat16, which tensor cores multiply";
  }
  if (algorithm == Algorithm::stepwise) {
    return "a hidden size whose recurrent weights stay on the GPU's multiprocessors (see above)";
  }
  return "larger batches, which cost a step little more";
}

}  // namespace

std::string RecurrentPlan::explain(const PassShape& shape) const {
  const Algorithm chosen = algorithm(shape);
  std::ostringstream text;
  describe_call(text, config_, shape, device_);
  text << "\nalgorithm: " << name_of(chosen) << ", because ";
  if (!reason_.empty()) {
    text << reason_;
  } else {
    text << "the cost model for " << gpu_->rates.name
         << (gpu_->rates.measured.empty() ? " (its latencies are estimates)" : "") << " expects";
    describe_candidates(text, algorithm_candidates(config_, shape, *gpu_), shape);
    text << "\nno algorithm takes less than ";
    describe_time(text, limit(config_, shape, gpu_->rates), shape.training);
  }
  if (chosen == Algorithm::row_blocks) describe_threads(text, config_, shape);
  if (is_persistent(chosen)) describe_cut(text, config_, shape, chosen);
  if (is_cudnn(chosen)) {
    text << "\n" << cudnn_->explain(shape);
  } else {
    text << "\nchunks: ";
    describe_chunks(text, config_, shape, schedule(shape, RecurrentPass::forward));
    if (shape.training && lanes() > 1) {
      text << "; backward, ";
      describe_chunks(text, config_, shape, schedule(shape, RecurrentPass::backward));
    }
  }
  text << "\nmemory: workspace " << workspace_bytes(shape) << " bytes, reserve "
       << reserve_bytes(shape) << " bytes\nfaster: "
       << (device_ == DeviceKind::cpu ? advice_on_cpu(config_, shape, chosen)
                                      : advice_on_cuda(config_, chosen))
       << "\n";
  return text.str();
}

}  // namespace sluice
