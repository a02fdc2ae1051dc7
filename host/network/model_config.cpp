#include "host/network/model_config.h"

#include "host/json/json.h"
#include "kernels/base/error.h"

namespace sluice {

RecurrentConfig ModelConfig::recurrent() const {
  RecurrentConfig config;
  config.cell = cell;
  config.input_size = embedding_size;
  config.gate_input = one_hot();
  config.hidden_size = hidden_size;
  config.num_layers = num_layers;
  config.bidirectional = bidirectional;
  config.input_dropout = input_dropout;
  config.layer_dropout = layer_dropout;
  config.recurrent_dropout = recurrent_dropout;
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
  size(vocabulary_size, INT32_MAX, "vocabulary_size");
  if (!one_hot()) size(embedding_size, 1 << 20, "embedding_size");
  size(hidden_size, 1 << 20, "hidden_size");
  size(num_layers, 1 << 10, "num_layers");
  size(classes, 1 << 20, "classes");
  require(classes >= 2, "there must be at least 2 classes, got " + std::to_string(classes));
  rate(word_dropout, "word_dropout");
  rate(input_dropout, "input_dropout");
  require(!one_hot() || input_dropout == 0.0, "input_dropout must be 0 without an embedding, got " +
                                                  std::to_string(input_dropout) +
                                                  "; word_dropout drops whole words");
  rate(layer_dropout, "layer_dropout");
  rate(recurrent_dropout, "recurrent_dropout");
  rate(head_dropout, "head_dropout");
}

std::string ModelConfig::to_json() const {
  const Json json = Json::object({{"vocabulary_size", vocabulary_size},
                                  {"embedding_size", embedding_size},
                                  {"cell", name_of(cell)},
                                  {"hidden_size", hidden_size},
                                  {"num_layers", num_layers},
                                  {"bidirectional", bidirectional},
                                  {"pooling", name_of(pooling)},
                                  {"classes", classes},
                                  {"word_dropout", word_dropout},
                                  {"input_dropout", input_dropout},
                                  {"layer_dropout", layer_dropout},
                                  {"recurrent_dropout", recurrent_dropout},
                                  {"head_dropout", head_dropout}});
  return json.dump();
}

ModelConfig ModelConfig::from_json(const std::string& json, const std::string& where) {
  ModelConfig config;
  try {
    const Json object = Json::parse(json);
    object.at("vocabulary_size").get_to(config.vocabulary_size);
    object.at("embedding_size").get_to(config.embedding_size);
    config.cell = cell_from_name(object.at("cell").get<std::string>());
    object.at("hidden_size").get_to(config.hidden_size);
    object.at("num_layers").get_to(config.num_layers);
    object.at("bidirectional").get_to(config.bidirectional);
    config.pooling = pooling_from_name(object.at("pooling").get<std::string>());
    object.at("classes").get_to(config.classes);
    object.at("word_dropout").get_to(config.word_dropout);
    object.at("input_dropout").get_to(config.input_dropout);
    object.at("layer_dropout").get_to(config.layer_dropout);
    object.at("recurrent_dropout").get_to(config.recurrent_dropout);
    object.at("head_dropout").get_to(config.head_dropout);
    config.validate();
  } catch (const JsonError& error) {
    throw Error::runtime(where + ": the model's description cannot be read: " + error.what());
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

Cell cell_from_name(const std::string& name) {
  if (name == "rnn") return Cell::rnn_tanh;
  for (const Cell cell :
       {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru, Cell::gru_reset_before}) {
    if (name == name_of(cell)) return cell;
  }
  throw Error::usage("cell must be lstm, gru, gru_reset_before, rnn (rnn_tanh) or rnn_relu, got '" +
                     name + "'");
}

Pooling pooling_from_name(const std::string& name) {
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    if (name == name_of(pooling)) return pooling;
  }
  throw Error::usage("pooling must be last, mean or max, got '" + name + "'");
}

}  // namespace sluice
