#include <memory>

#include "host/checkpoint/trained_run.h"
#include "host/command/commands.h"
#include "host/command/data_options.h"
#include "host/command/run_task.h"
#include "host/command/standard_output.h"
#include "host/training/evaluation.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

struct EvalOptions {
  std::string run, task, data, device = "auto";
  ReadingOptions reading;
  std::int32_t count = 1000;
  std::int32_t batch = 64;
  int threads = 0;
  bool json = false;
};

ExampleSet examples_to_test(const EvalOptions& options, const ModelDescription& description) {
  if (!options.data.empty()) {
    return load_examples(options.data,
                         options.reading.read_options("test", description.task->targets()));
  }
  const auto note = description.notes.find(builtin_note);
  require(note != description.notes.end(),
          "--data is missing: the labelled examples to evaluate on (only a run trained on built-in "
          "ones can do without)");
  const BuiltinData builtin = BuiltinData::from_json(note->second, options.run);
  return description.task->builtin_examples(builtin.held_out(options.count));
}

int run(const EvalOptions& options) {
  require(options.batch >= 1, "--batch must be at least 1, got " + std::to_string(options.batch));
  const Device device = Device::open(options.device, options.threads);
  if (!device.notice().empty()) write_note(device.notice());
  TrainedModel trained = load_trained(device, options.run);
  const ModelDescription& description = trained.description;
  check_task(description, options.task, options.run);
  const Task& task = *description.task;
  const ExampleSet examples = examples_to_test(options, description);
  check_width(examples, description.model.frame_width);
  const Dataset dataset =
      task.encode(examples, trained.labels, description.tokenizer, trained.vocabulary,
                  description.encode, device.queue().threads);
  const std::unique_ptr<Metrics> metrics = task.make_metrics(trained.labels);
  const Evaluation result =
      evaluate(trained.model, dataset, all_rows(dataset), options.batch, *metrics);
  if (options.json) {
    write_line(metrics->json(result).dump());
  } else {
    for (const std::string& line : metrics->lines(result)) write_line(line);
  }
  return 0;
}

}  // namespace

std::function<int()> add_eval_command(CommandLine& line) {
  const auto options = std::make_shared<EvalOptions>();
  Subcommand command = line.add_subcommand("eval", "Measure a trained run on labelled examples");
  command.show_defaults();
  command.option("run", options->run, "Folder of the run").required();
  command.option("--task", options->task, run_task_help);
  command
      .option("--data", options->data,
              "Labelled examples, as for train; without it, built-in ones the run has not seen, "
              "if it was trained on such")
      .group("Data");
  options->reading.add_to(command);
  command.option("--count", options->count, "Built-in examples to make without --data");
  command.option("--batch", options->batch, "Examples at a time");
  command.option("--device", options->device, "auto, cpu, cuda or cuda:N");
  command.option("--threads", options->threads, "CPU threads; 0: one for each processor");
  command.flag("--json", options->json, "One JSON object on standard output");
  return [options] { return run(*options); };
}

}  // namespace sluice
