#include "host/tasks/classification/classification_metrics.h"

#include <cstdio>

#include "host/tasks/class_scores.h"

namespace sluice {

void ClassificationMetrics::add(const Batch& batch, const std::vector<float>& outputs) {
  const std::size_t each = outputs.size() / batch.labels.size();
  for (std::size_t row = 0; row < batch.labels.size(); ++row) {
    confusion_.add(batch.labels[row],
                   predicted_class(outputs.data() + row * each, static_cast<std::int64_t>(each)));
  }
}

std::vector<std::string> ClassificationMetrics::lines(const Evaluation& result) const {
  char first[256];
  std::snprintf(first, sizeof first, "examples %lld  accuracy %.4f  loss %.4f  f1 %.4f  %.2f s",
                static_cast<long long>(result.examples), result.accuracy, result.loss, f1(),
                result.seconds);
  std::vector<std::string> lines = {first, "true \\ predicted"};
  for (const std::string& name : labels_.names()) lines.back().append("\t").append(name);
  for (std::size_t row = 0; row < confusion_.counts().size(); ++row) {
    lines.push_back(labels_.names()[row]);
    for (const std::int64_t count : confusion_.counts()[row]) {
      lines.back().append("\t").append(std::to_string(count));
    }
  }
  return lines;
}

Json ClassificationMetrics::json(const Evaluation& result) const {
  return Json::object({{"examples", result.examples},
                       {"accuracy", result.accuracy},
                       {"loss", result.loss},
                       {"f1", f1()},
                       {"seconds", result.seconds},
                       {"confusion", confusion_.counts()}});
}

}  // namespace sluice
