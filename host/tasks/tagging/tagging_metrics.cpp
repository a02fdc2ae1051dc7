#include "host/tasks/tagging/tagging_metrics.h"

#include <cstdio>

#include "host/tasks/class_scores.h"

namespace sluice {
namespace {

std::string text(const char* format, auto... values) {
  char line[256];
  std::snprintf(line, sizeof line, format, values...);
  return line;
}

}  // namespace

void TaggingMetrics::add(const Batch& batch, const std::vector<float>& outputs) {
  const auto classes = static_cast<std::size_t>(labels_.size());
  for (std::size_t n = 0; n < batch.step_labels.size(); ++n) {
    if (batch.step_labels[n] == no_label) continue;
    confusion_.add(batch.step_labels[n],
                   predicted_class(outputs.data() + n * classes, labels_.size()));
  }
}

std::vector<std::string> TaggingMetrics::lines(const Evaluation& result) const {
  std::vector<std::string> lines = {
      text("examples %lld  steps %lld  accuracy %.4f  loss %.4f  macro f1 %.4f  %.2f s",
           static_cast<long long>(result.examples), static_cast<long long>(result.targets),
           result.accuracy, result.loss, confusion_.macro_f1(), result.seconds),
      "label\tprecision\trecall\tf1\tsupport"};
  for (std::size_t c = 0; c < labels_.names().size(); ++c) {
    lines.push_back(labels_.names()[c] + text("\t%.4f\t%.4f\t%.4f\t%lld", confusion_.precision(c),
                                              confusion_.recall(c), confusion_.f1(c),
                                              static_cast<long long>(confusion_.support(c))));
  }
  return lines;
}

Json TaggingMetrics::json(const Evaluation& result) const {
  Json classes = Json::object();
  for (std::size_t c = 0; c < labels_.names().size(); ++c) {
    classes[labels_.names()[c]] = Json::object({{"precision", confusion_.precision(c)},
                                                {"recall", confusion_.recall(c)},
                                                {"f1", confusion_.f1(c)},
                                                {"support", confusion_.support(c)}});
  }
  return Json::object({{"examples", result.examples},
                       {"steps", result.targets},
                       {"accuracy", result.accuracy},
                       {"loss", result.loss},
                       {"macro_f1", confusion_.macro_f1()},
                       {"seconds", result.seconds},
                       {"classes", classes},
                       {"confusion", confusion_.counts()}});
}

}  // namespace sluice
