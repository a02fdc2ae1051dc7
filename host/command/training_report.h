// What `sluice train` says: lines of text or JSON on standard output, a bar on a terminal.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "host/command/progress_bar.h"
#include "host/command/training_data.h"
#include "host/device.h"
#include "host/tasks/task.h"
#include "host/training/evaluation.h"
#include "host/training/trainer.h"

namespace sluice {

/// A standard output that fails does not end the training: finish() throws its error.
class TrainingReport {
 public:
  TrainingReport(const Device& device, const Trainer& trainer, const Task& task, bool json)
      : device_(device), trainer_(trainer), task_(task), json_(json), bar_(task.examples()) {}

  void begin(const TrainingData& data, const ModelConfig& model, std::int64_t weights,
             bool resumed);
  void progress(const ProgressReport& report);
  void epoch_finished(const EpochReport& report);
  /// Beside the reports, on standard error.
  void note(const std::string& text);
  void stopped(const std::string& run);
  void tested(const Evaluation& result);
  void gradient_norms(const std::vector<double>& norms);
  /// Errors: runtime, the first that writing met.
  void finish();

 private:
  void write(const std::string& line);
  std::size_t peak_memory() const;

  const Device& device_;
  const Trainer& trainer_;
  const Task& task_;
  bool json_;
  ProgressBar bar_;
  std::exception_ptr failure_;
};

}  // namespace sluice
