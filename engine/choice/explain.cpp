// RecurrentPlan::explain().
#include <algorithm>
#include <iomanip>
#include <sstream>

#include "engine/choice/algorithm_choice.h"
#include "engine/choice/pass_schedule.h"
#include "engine/loops/cudnn_pass.h"
#include "engine/loops/time_loop.h"
#include "engine/recurrent.h"
#include "kernels/device/instruction_set.h"

namespace sluice {
namespace {

void describe_call(std::ostream& text, const RecurrentConfig& config, const PassShape& shape,
                   DeviceKind device) {
  const bool asks_tf32 = config.math == MatrixMath::tf32 && config.data_type == DataType::float32;
  const bool tf32 = asks_tf32 && device == DeviceKind::cuda;
  text << name_of(config.cell) << ", input " << config.input_size << ", hidden "
       << config.hidden_size << ", " << config.num_layers
       << (config.num_layers == 1 ? " layer" : " layers")
       << (config.bidirectional ? ", both directions" : "");
  const UnitOptions options = config.unit_options();
  for (const UnitOption& option : unit_option_list) {
    if (options.*option.rate > 0.0) text << ", " << option.words << " " << options.*option.rate;
  }
  text << ", " << name_of(config.data_type) << (tf32 ? " multiplied as TF32" : "") << ", T "
       << shape.steps << ", B " << shape.batch << ", N " << shape.rows
       << (shape.training ? ", training" : ", inference") << " on "
       << (device == DeviceKind::cpu ? std::string("the CPU (") + name_of(instruction_set()) + ")"
                                     : std::string("CUDA"))
       << (asks_tf32 && !tf32 ? "; products are IEEE float32, since the CPU has no TF32" : "");
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

// How the time loop divides the work, where it says it; of both passes where they differ.
void describe_loop(std::ostream& text, const RecurrentConfig& config, const PassShape& shape,
                   DeviceKind device, Algorithm algorithm) {
  std::string said;
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    if (pass == RecurrentPass::backward && !shape.training) continue;
    const std::string words = time_loop(algorithm, {.config = config,
                                                    .device = device,
                                                    .pass = pass,
                                                    .batch = shape.batch,
                                                    .drops = shape.training})
                                  ->describe();
    if (words != said) text << "\n" << words;
    said = words;
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
  if (is_cudnn(chosen)) {
    text << "\n" << cudnn_->explain(shape);
  } else {
    describe_loop(text, config_, shape, device_, chosen);
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
