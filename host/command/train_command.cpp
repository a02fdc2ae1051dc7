#include <algorithm>
#include <memory>

#include "host/checkpoint/run_folder.h"
#include "host/checkpoint/training_checkpoint.h"
#include "host/checkpoint/vocabulary_file.h"
#include "host/command/commands.h"
#include "host/command/gradient_report.h"
#include "host/command/options_file.h"
#include "host/command/resume_options.h"
#include "host/command/signals.h"
#include "host/command/standard_output.h"
#include "host/command/train_options.h"
#include "host/command/training_data.h"
#include "host/command/training_report.h"
#include "host/device.h"
#include "host/json/json.h"
#include "host/training/evaluation.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

ModelDescription describe(const TrainOptions& options, const TrainingData& data) {
  ModelDescription description;
  description.task = &options.learned();
  description.model = options.model_config();
  description.model.vocabulary_size = data.vocabulary.size();
  description.model.classes = data.labels.size();
  description.model.frame_width = data.examples.width;
  description.model.validate();
  description.labels = data.labels.names();
  description.vocabulary_fingerprint = data.vocabulary.fingerprint();
  description.tokenizer = options.tokenizer_options();
  description.encode = options.encode_options();
  if (options.data.empty()) description.notes[builtin_note] = options.builtin.to_json();
  return description;
}

// The checkpoint, and the model file as often as the best weights change. A run that is stopped
// before there are any leaves the weights it has.
class RunSaver {
 public:
  RunSaver(const RunFolder& run, const ModelDescription& description)
      : run_(run), description_(description) {}

  void operator()(const TrainingSnapshot& snapshot) {
    const TrainingState& state = snapshot.state;
    if (state.best_epoch != saved_best_) {
      ModelDescription best = description_;
      best.notes["best_epoch"] = std::to_string(state.best_epoch);
      best.notes["validation"] =
          Json::object({{"loss", state.best_loss}, {"accuracy", state.best_accuracy}}).dump();
      save_model(run_.model(), best, snapshot.best_parameters);
      saved_best_ = state.best_epoch;
    } else if (state.best_epoch == 0 && state.step > 0) {
      save_model(run_.model(), description_, snapshot.parameters);
    }
    save_training(run_.checkpoint(), description_, snapshot);
  }

 private:
  const RunFolder& run_;
  const ModelDescription& description_;
  int saved_best_ = 0;
};

void check_same_model(const ModelDescription& now, const ModelDescription& then,
                      const std::string& checkpoint) {
  auto a = to_metadata(now), b = to_metadata(then);
  for (const char* key : {"task", "model", "labels", "text", "vocabulary"}) {
    require(a[key] == b[key], checkpoint + " was made by a run with another " + key + ": " +
                                  b[key] + ", now " + a[key] + "; resume it with its own options");
  }
}

class TrainCommand {
 public:
  explicit TrainCommand(CommandLine& line)
      : command_(line.add_subcommand("train", "Train a model on labelled examples")) {
    options_.add_to(command_);
    command_.footer(
        "Ctrl-C and SIGTERM save and stop; a second one more than a second later ends at once.\n"
        "SIGUSR1 saves and goes on.");
  }

  int run() {
    if (!options_.config_file.empty()) apply_options_file(command_, options_.config_file);
    if (options_.resume) {
      require(!options_.out.empty(), "--resume needs --out: the folder of the run to go on with");
      take_up_options(command_, RunFolder(options_.out));
    }
    if (options_.dump_config) {
      std::string document = options_to_toml(command_);
      if (!document.empty()) document.pop_back();
      write_line(document);
      return 0;
    }
    check_options();
    const RunFolder folder(options_.out);
    if (!options_.resume) folder.check_free();
    SignalRequests signals;
    const Device device = Device::open(options_.device, options_.threads);
    if (!device.notice().empty()) write_note(device.notice());
    check_precision(device);
    return options_.resume ? go_on(device, folder, signals) : start(device, folder, signals);
  }

 private:
  void check_options() {
    require(!options_.out.empty(), "--out is missing: the folder that the run is saved to");
    require(
        options_.validation_split >= 0.0 && options_.validation_split < 1.0,
        "--validation-split must be in [0, 1), got " + std::to_string(options_.validation_split));
    require(options_.test_count >= 0,
            "--test-count must be 0 or more, got " + std::to_string(options_.test_count));
    require(options_.data.empty() || options_.test_count == 0,
            "--test-count makes built-in examples, which do not go with --data; use --test");
    options_.training_config().validate();
    options_.precision().validate();
    ModelConfig model = options_.model_config();
    model.vocabulary_size = 1;
    model.validate();
  }

  void check_precision(const Device& device) const {
    const Precision precision = options_.precision();
    if (device.kind() == DeviceKind::cpu) {
      if (is_16_bit(precision.data_type)) {
        write_note("--dtype " + options_.dtype +
                   " on the CPU is exact in its roundings but slow; "
                   "float32 is the CPU's fast type");
      }
      if (options_.tf32) write_note("--tf32 changes nothing on the CPU, which has no TF32");
    } else if (precision.data_type == DataType::bfloat16 && !device.has_bfloat16()) {
      throw Error::usage("--dtype bfloat16 needs a GPU of compute capability 8.0 or later, and " +
                         device.description() + " is an older one; take float16");
    }
  }

  int start(const Device& device, const RunFolder& folder, SignalRequests& signals) {
    const TrainingData data = load_training_data(options_, device.queue().threads);
    const ModelDescription description = describe(options_, data);
    Model model(device.queue(), *description.task, description.model, options_.precision());
    model.set_parameters(initial_parameters(
        description.model, model.layout(), initialization_from_name(options_.init), options_.seed));
    folder.create();
    return train(device, folder, signals, data, description, model, nullptr);
  }

  int go_on(const Device& device, const RunFolder& folder, SignalRequests& signals) {
    const LoadedTraining saved = load_training(folder.checkpoint());
    const TrainingData data =
        load_training_data(options_, device.queue().threads, LabelSet(saved.description.labels),
                           folder.load_vocabulary(saved.description));
    const ModelDescription description = describe(options_, data);
    check_same_model(description, saved.description, folder.checkpoint().string());
    Model model(device.queue(), *description.task, description.model, options_.precision());
    return train(device, folder, signals, data, description, model, &saved.snapshot);
  }

  int train(const Device& device, const RunFolder& folder, SignalRequests& signals,
            const TrainingData& data, const ModelDescription& description, Model& model,
            const TrainingSnapshot* saved) {
    Trainer trainer(model, options_.training_config(), data.examples, data.training_rows,
                    data.validation_rows.empty() ? nullptr : &data.validation_set(),
                    data.validation_rows);
    if (saved != nullptr) trainer.restore(*saved);

    TrainingReport report(device, trainer, *description.task, options_.json);
    report.begin(data, description.model, model.layout().weights, saved != nullptr);
    TrainingHooks hooks;
    hooks.progress = [&](const ProgressReport& progress) { report.progress(progress); };
    hooks.epoch_finished = [&](const EpochReport& epoch) { report.epoch_finished(epoch); };
    // The checkpoint comes first: where it does not fit on the disk, no half of a run is left.
    hooks.save = [&, saver = RunSaver(folder, description),
                  complete = saved != nullptr](const TrainingSnapshot& snapshot) mutable {
      saver(snapshot);
      if (complete) return;
      save_vocabulary(folder.vocabulary(), data.vocabulary);
      save_options(command_, folder);
      complete = true;
    };
    hooks.note = [&](const std::string& text) { report.note(text); };
    const bool finished = trainer.run(hooks, signals.requests());
    if (!finished) {
      report.stopped(options_.out);
      return exit_code_of_signal(signals.requests().stop);
    }
    if (data.test.size() > 0) {
      const Evaluation result =
          evaluate(model, data.test, all_rows(data.test), options_.batch, &signals.requests().stop);
      if (result.stopped) return exit_code_of_signal(signals.requests().stop);
      report.tested(result);
    }
    if (options_.gradient_norms) report_gradient_norms(data, model, report);
    report.finish();
    return 0;
  }

  void report_gradient_norms(const TrainingData& data, const Model& model,
                             TrainingReport& report) const {
    const bool validated = !data.validation_rows.empty();
    std::vector<std::int32_t> rows = validated ? data.validation_rows : data.training_rows;
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(options_.batch)));
    report.gradient_norms(
        gradient_norms_from_end(model, validated ? data.validation_set() : data.examples, rows));
  }

  Subcommand command_;
  TrainOptions options_;
};

}  // namespace

std::function<int()> add_train_command(CommandLine& line) {
  auto command = std::make_shared<TrainCommand>(line);
  return [command] { return command->run(); };
}

}  // namespace sluice
