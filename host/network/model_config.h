// What a network and its head are made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/recurrent.h"
#include "kernels/cells/unit_options.h"
#include "kernels/sequences/pooling.h"

namespace sluice {

/// embedding [V, E], or frames -> recurrent layers -> a task's head, such as pooling over time ->
/// dense layer -> sigmoid or softmax. A task reads what means something to it.
struct ModelConfig {
  std::int64_t vocabulary_size = 0;   ///< V, the special ids included
  std::int64_t embedding_size = 128;  ///< E; 0: one-hot, each word has gates of its own instead
  std::int32_t frame_width = 0;  ///< F; above 0: frames of so many numbers instead of tokens, and
                                 ///< neither V nor E is read
  Cell cell = default_cell;
  std::int64_t hidden_size = 64;  ///< H, of each direction
  int num_layers = 1;             ///< L
  bool bidirectional = false;
  Pooling pooling = Pooling::last;
  int classes = 2;

  // Dropout rates, each in [0, 1), in training only.
  double word_dropout = 0.0;   ///< a token is replaced by `unknown`
  double input_dropout = 0.0;  ///< on embeddings or frames; mask constant over time
  double layer_dropout = 0.0;  ///< between recurrent layers; mask constant over time
  double head_dropout = 0.0;   ///< on the features that the head reads

  UnitOptions unit_options;  ///< of the recurrent layers

  bool has_frames() const { return frame_width > 0; }
  bool one_hot() const { return embedding_size == 0 && !has_frames(); }
  /// Of a row of x: E or F; 0 with one-hot input.
  std::int64_t input_size() const { return has_frames() ? frame_width : embedding_size; }
  RecurrentConfig recurrent() const;
  std::int64_t features() const { return recurrent().output_size(); }  ///< F, what the head reads

  /// Errors: usage, naming the field.
  void validate() const;

  /// A JSON object of the fields by name, and back; what an older file lacks has its default.
  /// `where` stands for the text's origin in messages. Errors: runtime, naming the field, when one
  /// is unknown or has a wrong value.
  std::string to_json() const;
  static ModelConfig from_json(const std::string& json, const std::string& where);
};

const char* name_of(Pooling pooling);

/// Every cell of the list by its name, and "rnn", which stands for rnn_tanh.
std::vector<std::string> cell_names();
/// Errors: usage, naming the choices.
Cell cell_from_name(const std::string& name);
Pooling pooling_from_name(const std::string& name);

}  // namespace sluice
