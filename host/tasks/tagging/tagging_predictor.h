// Sentences, and a label for each of their tokens.
#pragma once

#include <optional>

#include "host/tasks/prediction.h"
#include "host/tasks/record_input.h"

namespace sluice {

/// Takes JSON lines of tokens, of texts or of frames, columns, and texts, one a line; texts are
/// split at white space. Answers in two columns, token and label by a tab, with a blank line
/// between sentences; of frames the first column is the number of the step, from 1. Or as JSON
/// lines of tokens (not of frames), labels and probabilities, a line a record: a bad one's lists
/// are empty, and "problem" says why.
class TaggingPredictor : public Predictor {
 public:
  TaggingPredictor(TrainedModel& trained, TextLines& lines, const PredictionOptions& options);

  bool read() override;
  std::vector<std::string> answer() override;
  std::vector<std::string> notes() const override;

 private:
  RecordInput& input();

  TrainedModel& trained_;
  TextLines& lines_;
  const PredictionOptions& options_;
  std::optional<RecordInput> input_;    // once something has been read
  std::vector<ExampleRecord> waiting_;  // not yet answered
  bool answered_ = false;
};

}  // namespace sluice
