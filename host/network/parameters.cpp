#include "host/network/parameters.h"

#include "kernels/base/error.h"

namespace sluice {

ParameterLayout::ParameterLayout(const ModelConfig& config) {
  config.validate();
  const auto begin_part = [this] { size = (size + 63) / 64 * 64; };
  const auto append = [this](const std::string& name, std::vector<std::int64_t> shape) {
    views.push_back({name, std::move(shape), size});
    size += views.back().size();
    weights += views.back().size();
  };
  if (config.one_hot()) {  // x of RecurrentConfig::gate_input
    const std::int64_t gates = gate_count(config.cell) * config.hidden_size;
    append("rnn.gate_table_l0", {config.vocabulary_size, gates});
    if (config.bidirectional) append("rnn.gate_table_l0_reverse", {config.vocabulary_size, gates});
  } else {
    append("embedding.weight", {config.vocabulary_size, config.embedding_size});
  }
  begin_part();
  recurrent = size;
  for (const ParameterView& view : recurrent_parameters(config.recurrent())) {
    append("rnn." + view.name, view.shape);
  }
  begin_part();
  append("head.weight", {config.logits(), config.features()});
  append("head.bias", {config.logits()});
  begin_part();
}

const ParameterView& ParameterLayout::view(const std::string& name) const {
  for (const ParameterView& candidate : views) {
    if (candidate.name == name) return candidate;
  }
  throw Error::usage("the model has no tensor '" + name + "'");
}

}  // namespace sluice
