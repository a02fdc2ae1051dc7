#include "host/command/train_options.h"

#include "kernels/base/error.h"

namespace sluice {

void TrainOptions::add_to(CLI::App& command) {
  command.option_defaults()->always_capture_default();
  add_data_options(command);
  add_model_options(command);
  add_training_options(command);
  add_run_options(command);
}

void TrainOptions::add_data_options(CLI::App& command) {
  command.option_defaults()->group("Data");
  command.add_option(
      "--data", data,
      "Labelled texts: CSV, TSV, JSON lines (each also .gz) or a folder with a folder "
      "of text files for each label; without it, the built-in reviews");
  command.add_option("--test", test, "Labelled texts to test the best weights on at the end");
  command.add_option("--validation", validation,
                     "Labelled texts to validate on, instead of a part of --data");
  command.add_option("--validation-split", validation_split,
                     "Part of the training examples to validate on, in [0, 1)");
  command
      .add_option("--split-method", split_method,
                  "sample: at random; tail: the last of each class, for files where neighbours "
                  "are alike")
      ->check(CLI::IsMember({"sample", "tail"}));
  reading.add_to(command);
  builtin.add_to(command);
  command.add_option("--test-count", test_count, "Built-in reviews to test on at the end")
      ->group("Built-in reviews (used without --data)");

  command.option_defaults()->group("Text");
  command.add_option("--vocab", vocabulary,
                     "Most frequent words to keep, padding and unknown included; 0: all");
  command.add_option("--min-count", min_count, "Leave out words that occur less often");
  command.add_option("--max-length", max_length, "Tokens of a text that are used; 0: all");
  command.add_option("--truncate", truncate, "Which end of a longer text is kept")
      ->check(CLI::IsMember({"first", "last"}));
  command
      .add_option("--padding", padding,
                  "Pad to --max-length before or after the text; none: every text keeps its "
                  "length, and costs no more")
      ->check(CLI::IsMember({"none", "pre", "post"}));
  command.add_flag("--keep-case", keep_case, "Tell capitals from small letters");
  command.add_flag("--keep-html", keep_html, "Keep <br /> instead of reading it as a space");
  command.add_flag("--no-punctuation", no_punctuation, "Leave out tokens without letter or digit");
}

void TrainOptions::add_model_options(CLI::App& command) {
  command.option_defaults()->group("Model");
  command.add_option("--cell", cell, "Recurrent cell; rnn is rnn_tanh")
      ->check(CLI::IsMember({"lstm", "gru", "gru_reset_before", "rnn", "rnn_tanh", "rnn_relu"}));
  command.add_option("--hidden", hidden, "Hidden units of each layer and direction");
  command.add_option("--layers", layers, "Recurrent layers");
  command.add_flag("--bidirectional", bidirectional, "Read the text in both directions");
  command.add_option(
      "--embed", embed,
      "Size of a word's embedding; 0: none, each word has gates of its own (one-hot)");
  command.add_option("--pool", pool, "From all steps to one vector")
      ->check(CLI::IsMember({"last", "mean", "max"}));
  command
      .add_option("--init", init,
                  "Initial weights: keras (Glorot, orthogonal, forget bias 1) or pytorch "
                  "(uniform in 1/sqrt(hidden))")
      ->check(CLI::IsMember({"keras", "pytorch"}));
  command.add_option("--dropout", dropout,
                     "Dropout on embeddings, between layers and before the head");
  command.add_option("--recurrent-dropout", recurrent_dropout,
                     "Dropout on the hidden state where it re-enters the cell");
  command.add_option("--word-dropout", word_dropout, "Part of the words replaced by unknown");
  command.option_defaults()->always_capture_default(false);
  command.add_option("--input-dropout", input_dropout, "On embeddings, instead of --dropout")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--layer-dropout", layer_dropout, "Between layers, instead of --dropout")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--head-dropout", head_dropout, "Before the head, instead of --dropout")
      ->check(CLI::Range(0.0, 1.0));
  command.option_defaults()->always_capture_default(true);
}

void TrainOptions::add_training_options(CLI::App& command) {
  command.option_defaults()->group("Training");
  command.add_option("--epochs", epochs, "Passes over the training examples");
  command.add_option("--batch", batch, "Examples in a step");
  command.add_option("--bucketing", bucketing,
                     "Batches of like length, sorted within windows of so many batches; 0: off");
  command.add_option("--patience", patience,
                     "Stop after so many epochs without improvement; 0: never");
  command.add_option("--monitor", monitor, "What the best epoch is best in, on validation")
      ->check(CLI::IsMember({"accuracy", "loss"}));
  command.add_option("--seed", seed, "Of weights, order of examples, split and dropout");
  command.add_option("--optimizer", optimizer, "Update rule")
      ->check(CLI::IsMember({"sgd", "rmsprop", "adam", "adamw"}));
  command.add_option("--lr", lr, "Learning rate");
  command
      .add_option("--schedule", schedule,
                  "How the learning rate changes; cosine: down to --min-lr at the last step")
      ->check(CLI::IsMember({"constant", "warmup", "cosine", "step", "plateau"}));
  command.option_defaults()->always_capture_default(false);
  command
      .add_option("--warmup-steps", warmup_steps,
                  "Steps in which the rate rises to --lr; a tenth of all with --schedule warmup, "
                  "else none")
      ->check(CLI::NonNegativeNumber);
  command.option_defaults()->always_capture_default(true);
  command.add_option("--schedule-factor", schedule_factor, "Reduction with step and plateau");
  command.add_option(
      "--schedule-epochs", schedule_epochs,
      "Epochs to a reduction: with step all, with plateau those without improvement");
  command.add_option("--min-lr", min_lr, "The rate never falls below it");
  command.add_option("--momentum", momentum, "For sgd and rmsprop");
  command.add_flag("--nesterov", nesterov, "Nesterov's momentum, for sgd");
  command.add_option("--weight-decay", weight_decay,
                     "adamw: taken off the weights; else added to the gradient");
  command.add_option("--beta1", beta1, "For adam and adamw");
  command.add_option("--beta2", beta2, "For adam and adamw");
  command.add_option("--rmsprop-alpha", rmsprop_alpha, "Decay of the squared gradients' mean");
  command.add_option("--epsilon", epsilon, "For rmsprop, adam and adamw");
  command.add_option("--average-decay", average_decay,
                     "Validate and keep a moving average of the weights, of this decay a step, "
                     "such as 0.999; 0: off");
  command.add_option("--clip-norm", clip_norm, "Largest norm of all gradients together; 0: off");
  command.add_option("--clip-tensor-norm", clip_tensor_norm,
                     "Largest norm of each tensor's gradient; 0: off");
  command.add_option("--clip-value", clip_value, "Largest size of a gradient's number; 0: off");
}

void TrainOptions::add_run_options(CLI::App& command) {
  command.option_defaults()->group("Run");
  command.add_option("--out", out, "Folder for the run: model, vocabulary, checkpoint, options");
  command.add_flag("--resume", resume,
                   "Go on with the run in --out; options not given are the run's own");
  command.add_option("--device", device, "auto, cpu, cuda or cuda:N");
  command
      .add_option("--dtype", dtype,
                  "What embeddings, recurrent layers and their gradients are computed in; weights, "
                  "sums and states stay float32, and float16 scales its loss by itself")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  command.add_flag("--tf32", tf32,
                   "Multiply float32 as TF32, 10 bits of fraction, where the device is faster so");
  command.add_option("--threads", threads, "CPU threads; 0: one for each processor");
  command.add_option("--config", config_file,
                     "TOML file of options by their long names; the command line goes before it");
  command.add_flag("--dump-config", dump_config, "Print the options in effect as TOML, and stop");
  command.add_flag("--json", json, "One JSON object a line on standard output");
  command.add_flag(
      "--no-graph", no_graph,
      "On CUDA, launch each kernel of a step by itself instead of steps as CUDA graphs");
  command.add_flag("--gradient-norms", gradient_norms,
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
  options.truncation = truncate == "first" ? Truncation::keep_first : Truncation::keep_last;
  options.padding = padding == "pre"    ? Padding::pre
                    : padding == "post" ? Padding::post
                                        : Padding::none;
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
  config.recurrent_dropout = recurrent_dropout;
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
