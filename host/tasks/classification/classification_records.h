// Records, and a label for each of them.
#pragma once

#include <vector>

#include "host/tasks/classification/classifier.h"
#include "host/tasks/prediction.h"
#include "host/tasks/record_input.h"

namespace sluice {

/// Takes JSON lines of frames, or of texts or tokens. Answers: label, its probability and, but of
/// frames, the text (tokens with a blank between), by tabs or as JSON. A bad record is answered by
/// an empty line, or as JSON by its "problem".
class ClassificationRecords : public Predictor {
 public:
  ClassificationRecords(TrainedModel& trained, TextLines& lines, const PredictionOptions& options);

  bool read() override;
  std::vector<std::string> answer() override;
  std::vector<std::string> notes() const override { return input_.notes(); }

 private:
  void classify_waiting(InputKind input, std::vector<ClassPrediction>& predictions);

  TrainedModel& trained_;
  const PredictionOptions& options_;
  RecordInput input_;
  std::vector<ExampleRecord> waiting_;  // not yet answered
};

}  // namespace sluice
