#include <memory>

#include "host/classifier.h"
#include "host/command/commands.h"
#include "host/command/data_options.h"
#include "host/command/standard_output.h"
#include "host/json/json.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

struct EvalOptions {
  std::string run, data, device = "auto";
  ReadingOptions reading;
  std::int32_t count = 1000;
  std::int32_t batch = 64;
  int threads = 0;
  bool json = false;
};

ExampleSet examples_to_test(const EvalOptions& options, const ModelDescription& description) {
  if (!options.data.empty()) {
    return load_examples(options.data, options.reading.read_options("test"));
  }
  const auto note = description.notes.find("builtin_reviews");
  require(
      note != description.notes.end(),
      "--data is missing: the labelled texts to evaluate on (only a run trained on the built-in "
      "reviews can do without)");
  return builtin_test_reviews(BuiltinOptions::from_json(note->second, options.run), options.count);
}

void write_table(const Evaluation& result, const ClassificationMetrics& metrics,
                 const LabelSet& labels) {
  char line[256];
  std::snprintf(line, sizeof line, "examples %lld  accuracy %.4f  loss %.4f  f1 %.4f  %.2f s",
                static_cast<long long>(result.examples), result.accuracy, result.loss, metrics.f1(),
                result.seconds);
  write_line(line);
  std::string header = "true \\ predicted";
  for (const std::string& name : labels.names()) header.append("\t").append(name);
  write_line(header);
  for (std::size_t row = 0; row < metrics.confusion().size(); ++row) {
    std::string text = labels.names()[row];
    for (const std::int64_t count : metrics.confusion()[row]) {
      text.append("\t").append(std::to_string(count));
    }
    write_line(text);
  }
}

int run(const EvalOptions& options) {
  require(options.batch >= 1, "--batch must be at least 1, got " + std::to_string(options.batch));
  const Device device = Device::open(options.device, options.threads);
  if (!device.notice().empty()) write_note(device.notice());
  Classifier classifier(device, options.run);
  const ExampleSet examples = examples_to_test(options, classifier.description());
  ClassificationMetrics metrics(classifier.labels().size());
  const Evaluation result = classifier.evaluate(examples, options.batch, metrics);
  if (options.json) {
    write_line(Json::object({{"examples", result.examples},
                             {"accuracy", result.accuracy},
                             {"loss", result.loss},
                             {"f1", metrics.f1()},
                             {"seconds", result.seconds},
                             {"confusion", metrics.confusion()}})
                   .dump());
  } else {
    write_table(result, metrics, classifier.labels());
  }
  return 0;
}

}  // namespace

std::function<int()> add_eval_command(CommandLine& line) {
  const auto options = std::make_shared<EvalOptions>();
  Subcommand command = line.add_subcommand("eval", "Measure a trained run on labelled texts");
  command.show_defaults();
  command.option("run", options->run, "Folder of the run").required();
  command
      .option("--data", options->data,
              "Labelled texts, as for train; without it, built-in reviews the run has not "
              "seen, if it was trained on such")
      .group("Data");
  options->reading.add_to(command);
  command.option("--count", options->count, "Built-in reviews to make without --data");
  command.option("--batch", options->batch, "Examples at a time");
  command.option("--device", options->device, "auto, cpu, cuda or cuda:N");
  command.option("--threads", options->threads, "CPU threads; 0: one for each processor");
  command.flag("--json", options->json, "One JSON object on standard output");
  return [options] { return run(*options); };
}

}  // namespace sluice
