// The options of `sluice train`.
#pragma once

#include <cstdint>
#include <string>

#include "host/command/data_options.h"
#include "host/data/dataset.h"
#include "host/network/initialization.h"
#include "host/network/model_config.h"
#include "host/network/precision.h"
#include "host/tasks/list.h"
#include "host/text/tokenizer.h"
#include "host/text/vocabulary.h"
#include "host/training/trainer.h"

namespace sluice {

/// As the command line has them; the functions turn them into what the library takes.
struct TrainOptions {
  std::string task = default_task().name();
  std::string data, test, validation, out, config_file;
  ReadingOptions reading;
  BuiltinOptions builtin;
  std::int32_t test_count = 0;
  double validation_split = 0.1;
  std::string split_method = "sample";

  std::int32_t vocabulary = 10000;
  std::int64_t min_count = 1;
  bool keep_case = false, keep_html = false, no_punctuation = false;
  std::int32_t max_length = 400;
  std::string truncate = "last", padding = "none";

  std::string cell = "lstm";
  std::int64_t hidden = 64, embed = 128;
  int layers = 1;
  bool bidirectional = false;
  std::string pool = "last", init = "keras";
  double dropout = 0.0, word_dropout = 0.0;
  double input_dropout = -1.0, layer_dropout = -1.0, head_dropout = -1.0;  // -1: as `dropout`
  UnitOptions unit_options;

  std::string optimizer = "adam";
  double lr = 0.001, momentum = 0.0, weight_decay = 0.0;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, rmsprop_alpha = 0.99;
  double average_decay = 0.0;
  bool nesterov = false;
  double clip_norm = 0.0, clip_tensor_norm = 0.0, clip_value = 0.0;
  std::string schedule = "cosine";
  std::int64_t warmup_steps = -1;
  double schedule_factor = 0.5, min_lr = 0.0;
  int schedule_epochs = 1;

  int epochs = 5, patience = 0;
  std::int32_t batch = 64, bucketing = 0;
  std::string monitor = "accuracy";
  std::uint64_t seed = 1;

  std::string device = "auto", dtype = "float32";
  bool tf32 = false;
  int threads = 0;
  bool resume = false, json = false, dump_config = false, gradient_norms = false, no_graph = false;

  void add_to(Subcommand& command);

  const Task& learned() const { return task_from_name(task); }
  VocabularyOptions vocabulary_options() const;
  TokenizerOptions tokenizer_options() const;
  EncodeOptions encode_options() const;
  SplitOptions split_options() const;
  /// Without the sizes that the data decide: vocabulary_size and classes.
  ModelConfig model_config() const;
  TrainingConfig training_config() const;
  Precision precision() const;

 private:
  void add_data_options(Subcommand& command);
  void add_model_options(Subcommand& command);
  void add_training_options(Subcommand& command);
  void add_run_options(Subcommand& command);
};

}  // namespace sluice
