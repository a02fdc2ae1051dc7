#include "host/command/train_options.h"

#include <algorithm>

#include "kernels/base/error.h"

namespace sluice {

void TrainOptions::add_to(Subcommand& command) {
  command.show_defaults();
  add_data_options(command);
  add_model_options(command);
  add_training_options(command);
  add_run_options(command);
}

void TrainOptions::add_data_options(Subcommand& command) {
  command.begin_group("Data");
  std::vector<std::string> tasks;
  std::string meaning = "What is learned";
  for (const Task* each : all_tasks()) {
    meaning += std::string(tasks.empty() ? ". " : "; ") + each->name() + ": " + each->meaning();
    tasks.push_back(each->name());
  }
  command.option("--task", task, meaning.c_str()).one_of(tasks);
  command.option(
      "--data", data,
      "Labelled texts: CSV, TSV, JSON lines (each also .gz) or a folder with a folder "
      "of text files for each label; to tag, JSON lines of \"tokens\" and \"labels\", or "
      "columns of a token and its label with a blank line between sentences. JSON lines "
      "may have \"frames\", lists of numbers, for tokens. Without it, built-in examples");
  command.option("--test", test, "Labelled texts to test the best weights on at the end");
  command.option("--validation", validation,
                 "Labelled texts to validate on, instead of a part of --data");
  command.option("--validation-split", validation_split,
                 "Part of the training examples to validate on, in [0, 1)");
  command
      .option("--split-method", split_method,
              "sample: at random; tail: the last of each class, for files where neighbours "
              "are alike")
      .one_of({"sample", "tail"});
  reading.add_to(command);
  builtin.add_to(command);
  command.option("--test-count", test_count, "Built-in examples to test on at the end")
      .group("Built-in examples (used without --data)");

  command.begin_group("Text");
  command.option("--vocab", vocabulary,
                 "Most frequent words to keep, padding and unknown included; 0: all");
  command.option("--min-count", min_count, "Leave out words that occur less often");
  command.option("--max-length", max_length, "Tokens of a text that are used; 0: all");
  command.option("--truncate", truncate, "Which end of a longer text is kept")
      .one_of({"first", "last"});
  command
      .option("--padding", padding,
              "Pad to --max-length before or after the text; none: every text keeps its "
              "length, and costs no more")
      .one_of({"none", "pre", "post"});
  command.flag("--keep-case", keep_case, "Tell capitals from small letters");
  command.flag("--keep-html", keep_html, "Keep <br /> instead of reading it as a space");
  command.flag("--no-punctuation", no_punctuation, "Leave out tokens without letter or digit");
}

void TrainOptions::add_model_options(Subcommand& command) {
  command.begin_group("Model");
  command.option("--cell", cell, "Recurrent cell; rnn is rnn_tanh").one_of(cell_names());
  command.option("--hidden", hidden, "Hidden units of each layer and direction");
  command.option("--layers", layers, "Recurrent layers");
  command.flag("--bidirectional", bidirectional, "Read the text in both directions");
  command.option("--embed", embed,
                 "Size of a word's embedding; 0: none, each word has gates of its own (one-hot)");
  command.option("--pool", pool, "From all steps to one vector").one_of({"last", "mean", "max"});
  command
      .option("--init", init,
              "Initial weights: keras (Glorot, orthogonal, forget bias 1) or pytorch "
              "(uniform in 1/sqrt(hidden))")
      .one_of({"keras", "pytorch"});
  command.option("--dropout", dropout, "Dropout on embeddings, between layers and before the head");
  for (const UnitOption& option : unit_option_list) {
    std::string name = std::string("--") + option.name;
    std::replace(name.begin(), name.end(), '_', '-');
    command.option(name.c_str(), unit_options.*option.rate, option.meaning);
  }
  command.option("--word-dropout", word_dropout, "Part of the words replaced by unknown");
  command.show_defaults(false);
  command.option("--input-dropout", input_dropout, "On embeddings, instead of --dropout")
      .between(0.0, 1.0);
  command.option("--layer-dropout", layer_dropout, "Between layers, instead of --dropout")
      .between(0.0, 1.0);
  command.option("--head-dropout", head_dropout, "Before the head, instead of --dropout")
      .between(0.0, 1.0);
  command.show_defaults();
}

void TrainOptions::add_training_options(Subcommand& command) {
  command.begin_group("Training");
  command.option("--epochs", epochs, "Passes over the training examples");
  command.option("--batch", batch, "Examples in a step");
  command.option("--bucketing", bucketing,
                 "Batches of like length, sorted within windows of so many batches; 0: off");
  command.option("--patience", patience, "Stop after so many epochs without improvement; 0: never");
  command.option("--monitor", monitor, "What the best epoch is best in, on validation")
      .one_of({"accuracy", "loss"});
  command.option("--seed", seed, "Of weights, order of examples, split and dropout");
  command.option("--optimizer", optimizer, "Update rule")
      .one_of({"sgd", "rmsprop", "adam", "adamw"});
  command.option("--lr", lr, "Learning rate");
  command
      .option("--schedule", schedule,
              "How the learning rate changes; cosine: down to --min-lr at the last step")
      .one_of({"constant", "warmup", "cosine", "step", "plateau"});
  command.show_defaults(false);
  command
      .option("--warmup-steps", warmup_steps,
              "Steps in which the rate rises to --lr; a tenth of all with --schedule warmup, "
              "else none")
      .not_negative();
  command.show_defaults();
  command.option("--schedule-factor", schedule_factor, "Reduction with step and plateau");
  command.option("--schedule-epochs", schedule_epochs,
                 "Epochs to a reduction: with step all, with plateau those without improvement");
  command.option("--min-lr", min_lr, "The rate never falls below it");
  command.option("--momentum", momentum, "For sgd and rmsprop");
  command.flag("--nesterov", nesterov, "Nesterov's momentum, for sgd");
  command.option("--weight-decay", weight_decay,
                 "adamw: taken off the weights; else added to the gradient");
  command.option("--beta1", beta1, "For adam and adamw");
  command.option("--beta2", beta2, "For adam and adamw");
  command.option("--rmsprop-alpha", rmsprop_alpha, "Decay of the squared gradients' mean");
  command.option("--epsilon", epsilon, "For rmsprop, adam and adamw");
  command.option("--average-decay", average_decay,
                 "Validate and keep a moving average of the weights, of this decay a step, "
                 "such as 0.999; 0: off");
  command.option("--clip-norm", clip_norm, "Largest norm of all gradients together; 0: off");
  command.option("--clip-tensor-norm", clip_tensor_norm,
                 "Largest norm of each tensor's gradient; 0: off");
  command.option("--clip-value", clip_value, "Largest size of a gradient's number; 0: off");
}

void TrainOptions::add_run_options(Subcommand& command) {
  command.begin_group("Run");
  command.option("--out", out, "Folder for the run: model, vocabulary, checkpoint, options");
  command.flag("--resume", resume,
               "Go on with the run in --out; options not given are the run's own");
  command.option("--device", device, "auto, cpu, cuda or cuda:N");
  command
      .option("--dtype", dtype,
              "What embeddings, recurrent layers and their gradients are computed in; weights, "
              "sums and states stay float32, and float16 scales its loss by itself")
      .one_of({"float32", "bfloat16", "float16"});
  command.flag("--tf32", tf32,
               "Multiply float32 as TF32, 10 bits of fraction, where the device is faster so");
  command.option("--threads", threads, "CPU threads; 0: one for each processor");
  command.option("--config", config_file,
                 "TOML file of options by their long names; the command line goes before it");
  command.flag("--dump-config", dump_config, "Print the options in effect as TOML, and stop");
  command.flag("--json", json, "One JSON object a line on standard output");
  command.flag("--no-graph", no_graph,
               "On CUDA, launch each kernel of a step by itself instead of steps as CUDA graphs");
  command.flag("--gradient-norms", gradient_norms,
               "At the end, print the norm of the gradient by each step's input, counted from "
               "the end of the text");
}

VocabularyOptions TrainOptions::vocabulary_options() const {
  VocabularyOptions options;
  options.size = vocabulary;
  options.min_count = min_count;
  return options;
}

TokenizerOptions TrainOptions::tokenizer_options() const {
  TokenizerOptions options;
  options.fold_case = !keep_case;
  options.strip_html_breaks = !keep_html;
  options.keep_punctuation = !no_punctuation;
  return options;
}

EncodeOptions TrainOptions::encode_options() const {
  EncodeOptions options;
  options.max_length = max_length;
  options.truncation = truncation_from_name(truncate);
  options.padding = padding_from_name(padding);
  return options;
}

SplitOptions TrainOptions::split_options() const {
  SplitOptions options;
  options.validation_fraction = validation_split;
  options.method = split_method == "tail" ? SplitMethod::tail : SplitMethod::sample;
  options.seed = seed;
  return options;
}

ModelConfig TrainOptions::model_config() const {
  ModelConfig config;
  config.embedding_size = embed;
  require(!gradient_norms || embed != 0,
          "--gradient-norms: expected an embedding whose gradient it can show, got --embed 0");
  config.cell = cell_from_name(cell);
  config.hidden_size = hidden;
  config.num_layers = layers;
  config.bidirectional = bidirectional;
  config.pooling = pooling_from_name(pool);
  const auto rate = [this](double own) { return own < 0.0 ? dropout : own; };
  config.word_dropout = word_dropout;
  config.input_dropout = config.one_hot() && input_dropout < 0.0 ? 0.0 : rate(input_dropout);
  config.layer_dropout = rate(layer_dropout);
  config.unit_options = unit_options;
  config.head_dropout = rate(head_dropout);
  return config;
}

Precision TrainOptions::precision() const {
  return {data_type_from_name(dtype), tf32 ? MatrixMath::tf32 : MatrixMath::ieee};
}

TrainingConfig TrainOptions::training_config() const {
  TrainingConfig config;
  config.epochs = epochs;
  config.batch_size = batch;
  config.bucket_batches = bucketing;
  config.patience = patience;
  config.monitor = monitor == "loss" ? Monitor::loss : Monitor::accuracy;
  config.seed = seed;
  config.graphs = !no_graph;
  config.optimizer.kind = optimizer_from_name(optimizer);
  config.optimizer.momentum = momentum;
  config.optimizer.nesterov = nesterov;
  config.optimizer.weight_decay = weight_decay;
  config.optimizer.alpha = rmsprop_alpha;
  config.optimizer.beta1 = beta1;
  config.optimizer.beta2 = beta2;
  config.optimizer.epsilon = epsilon;
  config.optimizer.average_decay = average_decay;
  config.schedule.schedule = schedule_from_name(schedule);
  config.schedule.learning_rate = lr;
  config.schedule.minimum = min_lr;
  config.schedule.factor = schedule_factor;
  config.schedule.epochs = schedule_epochs;
  config.schedule.warmup_steps = warmup_steps;
  config.clipping.value = clip_value;
  config.clipping.tensor_norm = clip_tensor_norm;
  config.clipping.global_norm = clip_norm;
  return config;
}

}  // namespace sluice
