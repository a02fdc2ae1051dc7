#include <memory>

#include "host/checkpoint/trained_run.h"
#include "host/command/commands.h"
#include "host/command/run_task.h"
#include "host/command/standard_output.h"
#include "host/data/text_lines.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

struct PredictOptions {
  std::string task, file, device = "auto";
  PredictionOptions prediction;
  std::int32_t batch = 64;
  int threads = 0;
};

int run(const PredictOptions& options) {
  require(options.batch >= 1, "--batch must be at least 1, got " + std::to_string(options.batch));
  TextLines lines(options.file);
  const Device device = Device::open(options.device, options.threads);
  if (!device.notice().empty()) write_note(device.notice());
  TrainedModel trained = load_trained(device, options.prediction.run);
  check_task(trained.description, options.task, options.prediction.run);
  const std::unique_ptr<Predictor> predictor =
      trained.description.task->make_predictor(trained, lines, options.prediction);

  // Someone who types wants an answer after each line.
  const std::int32_t batch = lines.from_terminal() ? 1 : options.batch;
  std::int32_t waiting = 0;
  const auto answer = [&] {
    for (const std::string& line : predictor->answer()) write_line(line);
    waiting = 0;
  };
  while (predictor->read()) {
    if (++waiting == batch) answer();
  }
  answer();
  for (const std::string& note : predictor->notes()) write_note(note);
  return 0;
}

}  // namespace

std::function<int()> add_predict_command(CommandLine& line) {
  const auto options = std::make_shared<PredictOptions>();
  Subcommand command = line.add_subcommand(
      "predict",
      "Answer what a run was trained for: the label of each text, or of each token of a sentence");
  command.show_defaults();
  command.option("run", options->prediction.run, "Folder of the run").required();
  command.option("file", options->file,
                 "Texts, one a line, as plain UTF-8; to tag also JSON lines or columns of tokens; "
                 "standard input without it, or for -");
  command.option("--task", options->task, run_task_help);
  command
      .option(
          "--format", options->prediction.format,
          "How the input is written; auto goes by name and content. jsonl: an object a line with "
          "\"text\", \"tokens\" or \"frames\"; conll: a token a line, to tag")
      .one_of({"auto", "text", "jsonl", "conll"});
  command.option("--batch", options->batch, "Records at a time");
  command.option("--device", options->device, "auto, cpu, cuda or cuda:N");
  command.option("--threads", options->threads, "CPU threads; 0: one for each processor");
  command.flag("--json", options->prediction.json,
               "JSON lines: label, probability and text; of a sentence tokens, labels and "
               "probabilities");
  command.flag("--strict", options->prediction.strict,
               "Stop at a line of ill-formed UTF-8, without text or that is no record");
  command.flag("--plain", options->prediction.plain,
               "Take any lines as they are; else what looks like CSV, TSV, JSON, UTF-16 or a "
               "compressed file is refused");
  return [options] { return run(*options); };
}

}  // namespace sluice
