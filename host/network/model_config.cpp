#include "host/network/model_config.h"

#include "host/json/json_fields.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

JsonFields fields_of(ModelConfig& config) {
  JsonFields fields = {json_field("vocabulary_size", config.vocabulary_size),
                       json_field("embedding_size", config.embedding_size),
                       json_field("cell", config.cell, name_of, cell_from_name),
                       json_field("hidden_size", config.hidden_size),
                       json_field("num_layers", config.num_layers),
                       json_field("bidirectional", config.bidirectional),
                       json_field("pooling", config.pooling, name_of, pooling_from_name),
                       json_field("classes", config.classes),
                       json_field("word_dropout", config.word_dropout),
                       json_field("input_dropout", config.input_dropout),
                       json_field("layer_dropout", config.layer_dropout)};
  for (const UnitOption& option : unit_option_list) {
    JsonField field = json_field(option.name, config.unit_options.*option.rate);
    field.when_set = !option.in_every_file;
    fields.push_back(std::move(field));
  }
  fields.push_back(json_field("head_dropout", config.head_dropout));
  fields.push_back(json_field("frame_width", config.frame_width));
  fields.back().when_set = true;
  return fields;
}

}  // namespace

RecurrentConfig ModelConfig::recurrent() const {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = input_size();
  config.gate_input = one_hot();
  config.hidden_size = hidden_size;
  config.num_layers = num_layers;
  config.bidirectional = bidirectional;
  config.input_dropout = input_dropout;
  config.layer_dropout = layer_dropout;
  config.set(unit_options);
  return config;
}

void ModelConfig::validate() const {
  const auto size = [](std::int64_t value, std::int64_t most, const char* field) {
    require(value >= 1 && value <= most, std::string(field) + " must be between 1 and " +
                                             std::to_string(most) + ", got " +
                                             std::to_string(value));
  };
  const auto rate = [](double value, const char* field) {
    require(value >= 0.0 && value < 1.0,
            std::string(field) + " must be in [0, 1), got " + std::to_string(value));
  };
  require(frame_width >= 0 && frame_width <= 1 << 20,
          "frame_width must be 0 (tokens) or up to 1048576, got " + std::to_string(frame_width));
  if (!has_frames()) size(vocabulary_size, INT32_MAX, "vocabulary_size");
  if (!has_frames() && !one_hot()) size(embedding_size, 1 << 20, "embedding_size");
  size(hidden_size, 1 << 20, "hidden_size");
  size(num_layers, 1 << 10, "num_layers");
  size(classes, 1 << 20, "classes");
  require(classes >= 2, "there must be at least 2 classes, got " + std::to_string(classes));
  rate(word_dropout, "word_dropout");
  require(!has_frames() || word_dropout == 0.0,
          "word_dropout must be 0 with frames, which have no words, got " +
              std::to_string(word_dropout) + "; input_dropout drops their numbers");
  rate(input_dropout, "input_dropout");
  require(!one_hot() || input_dropout == 0.0, "input_dropout must be 0 without an embedding, got " +
                                                  std::to_string(input_dropout) +
                                                  "; word_dropout drops whole words");
  rate(layer_dropout, "layer_dropout");
  rate(head_dropout, "head_dropout");
  for (const UnitOption& option : unit_option_list) {
    const double value = unit_options.*option.rate;
    rate(value, option.name);
    require(value == 0.0 || spec_of(cell).states >= option.states,
            std::string(option.name) + " must be 0 for " + name_of(cell) +
                ", which has no cell state, got " + std::to_string(value));
  }
}

std::string ModelConfig::to_json() const {
  ModelConfig copy = *this, plain;
  return write_fields(fields_of(copy), fields_of(plain)).dump();
}

ModelConfig ModelConfig::from_json(const std::string& json, const std::string& where) {
  ModelConfig config;
  read_fields(json, fields_of(config), where, "the model's description");
  try {
    config.validate();
  } catch (const Error& error) {
    throw Error::runtime(where + ": the model's description is wrong: " + error.what());
  }
  return config;
}

const char* name_of(Pooling pooling) {
  switch (pooling) {
    case Pooling::last: return "last";
    case Pooling::mean: return "mean";
    case Pooling::max: return "max";
  }
  return "?";
}

std::vector<std::string> cell_names() {
  std::vector<std::string> names = {"rnn"};
  for (const Cell cell : all_cells) names.push_back(name_of(cell));
  return names;
}

Cell cell_from_name(const std::string& name) {
  if (name == "rnn") return Cell::rnn_tanh;
  for (const Cell cell : all_cells) {
    if (name == name_of(cell)) return cell;
  }
  std::string choices;
  for (const Cell cell : all_cells)
    choices += (choices.empty() ? "" : ", ") + std::string(name_of(cell));
  throw Error::usage("cell must be rnn (rnn_tanh) or one of " + choices + "; got '" + name + "'");
}

Pooling pooling_from_name(const std::string& name) {
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    if (name == name_of(pooling)) return pooling;
  }
  throw Error::usage("pooling must be last, mean or max, got '" + name + "'");
}

}  // namespace sluice
