// Texts, one a line, and their labels.
#pragma once

#include "host/tasks/prediction.h"

namespace sluice {

/// Answers: label, its probability and the text, by tabs or as JSON.
class ClassificationPredictor : public Predictor {
 public:
  ClassificationPredictor(TrainedModel& trained, TextLines& lines,
                          const PredictionOptions& options);

  bool read() override;
  std::vector<std::string> answer() override;
  std::vector<std::string> notes() const override;

 private:
  void judge();
  void refuse(const std::optional<ForeignFormat>& format) const;

  TrainedModel& trained_;
  TextLines& lines_;
  const PredictionOptions& options_;
  bool judged_;
  std::vector<std::string> texts_;  // not yet answered
  std::int64_t line_ = 0;
  Oddity ill_formed_, empty_;
};

}  // namespace sluice
