#include "host/command/training_report.h"

#include <cstdio>

#include "host/command/peak_memory.h"
#include "host/command/standard_output.h"
#include "host/json/json.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

std::string text(const char* format, auto... values) {
  char line[512];
  std::snprintf(line, sizeof line, format, values...);
  return line;
}

}  // namespace

void TrainingReport::write(const std::string& line) {
  bar_.clear();
  if (failure_ != nullptr) return;
  try {
    write_line(line);
  } catch (const Error&) {
    failure_ = std::current_exception();
  }
}

std::size_t TrainingReport::peak_memory() const {
  return device_.kind() == DeviceKind::cuda ? trainer_.device_bytes() : peak_resident_bytes();
}

void TrainingReport::begin(const TrainingData& data, const ModelConfig& model, std::int64_t weights,
                           bool resumed) {
  write_note(text("%s: %zu examples to train on, %zu to validate on, %d to test on, %d classes",
                  device_.description().c_str(), data.training_rows.size(),
                  data.validation_rows.size(), data.test.size(), model.classes));
  const std::string input = model.has_frames() ? text("frames of %d numbers", model.frame_width)
                                               : text("vocabulary %lld, embedding %lld",
                                                      static_cast<long long>(model.vocabulary_size),
                                                      static_cast<long long>(model.embedding_size));
  write_note(text("%s, %d layer(s) of %lld %s units%s, %lld weights", input.c_str(),
                  model.num_layers, static_cast<long long>(model.hidden_size), name_of(model.cell),
                  model.bidirectional ? " in both directions" : "",
                  static_cast<long long>(weights)));
  if (resumed) {
    const TrainingState& state = trainer_.state();
    write_note(text("resuming in epoch %d after %d of its batches, step %u", state.epoch + 1,
                    state.batch, state.step));
  }
}

void TrainingReport::progress(const ProgressReport& report) { bar_.show(report); }

void TrainingReport::epoch_finished(const EpochReport& report) {
  if (json_) {
    Json line = Json::object({{"epoch", report.epoch},
                              {"train_loss", report.train_loss},
                              {"train_accuracy", report.train_accuracy},
                              {"val_loss", nullptr},
                              {"val_accuracy", nullptr},
                              {"examples_per_second", report.examples_per_second},
                              {"tokens_per_second", report.tokens_per_second},
                              {"seconds", report.seconds},
                              {"peak_memory_bytes", peak_memory()},
                              {"device", device_.name()}});
    if (report.validated) {
      line["val_loss"] = report.validation_loss;
      line["val_accuracy"] = report.validation_accuracy;
    }
    write(line.dump());
    return;
  }
  std::string line = text("epoch %d  train loss %.4f accuracy %.4f", report.epoch,
                          report.train_loss, report.train_accuracy);
  if (report.validated) {
    line += text("  validation loss %.4f accuracy %.4f", report.validation_loss,
                 report.validation_accuracy);
  }
  line += text("  %.0f %s/s  %.1f s%s", report.examples_per_second, task_.examples(),
               report.seconds, report.validated && report.improved ? "  best so far" : "");
  write(line);
}

void TrainingReport::note(const std::string& text) {
  bar_.clear();
  write_note(text);
}

void TrainingReport::stopped(const std::string& run) {
  bar_.clear();
  write_note("stopped and saved after step " + std::to_string(trainer_.state().step) +
             "; go on with: sluice train --resume --out " + run);
}

void TrainingReport::tested(const Evaluation& result) {
  if (json_) {
    write(Json::object({{"test_loss", result.loss},
                        {"test_accuracy", result.accuracy},
                        {"test_examples", result.examples}})
              .dump());
  } else {
    write(text("test  loss %.4f accuracy %.4f  %lld examples", result.loss, result.accuracy,
               static_cast<long long>(result.examples)));
  }
}

void TrainingReport::gradient_norms(const std::vector<double>& norms) {
  if (!json_) write("steps from the end  gradient norm");
  for (std::size_t distance = 0; distance < norms.size(); ++distance) {
    if (json_) {
      write(
          Json::object({{"steps_from_end", distance}, {"gradient_norm", norms[distance]}}).dump());
    } else {
      write(text("%18zu  %.6e", distance, norms[distance]));
    }
  }
}

void TrainingReport::finish() {
  bar_.clear();
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

}  // namespace sluice
