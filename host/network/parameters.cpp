#include "host/network/parameters.h"

#include "kernels/base/error.h"

namespace sluice {

ParameterLayout::ParameterLayout(const ModelConfig& config,
                                 const std::vector<ParameterView>& head) {
  config.validate();
  const auto begin_part = [this] { size = (size + 63) / 64 * 64; };
  const auto append = [this](const std::string& name, std::vector<std::int64_t> shape,
                             const ParameterRole& role) {
    views.push_back({name, std::move(shape), size, role});
    size += views.back().size();
    weights += views.back().size();
  };
  const std::int64_t v = config.vocabulary_size, e = config.embedding_size, h = config.hidden_size;
  if (config.one_hot()) {  // x of RecurrentConfig::gate_input
    const int gates = gate_count(config.cell);
    for (int direction = 0; direction < config.recurrent().directions(); ++direction) {
      append(direction == 0 ? "rnn.gate_table_l0" : "rnn.gate_table_l0_reverse", {v, gates * h},
             {.kind = ParameterKind::table,
              .gates = gates,
              .gate_rows = h,
              .fan_in = v,
              .fan_out = gates * h,
              .layer = 0,
              .direction = direction});
    }
  } else if (!config.has_frames()) {
    append("embedding.weight", {v, e},
           {.kind = ParameterKind::table, .gate_rows = v, .fan_in = v, .fan_out = e});
  }
  begin_part();
  recurrent = size;
  for (const ParameterView& view : recurrent_parameters(config.recurrent())) {
    append("rnn." + view.name, view.shape, view.role);
  }
  begin_part();
  for (const ParameterView& view : head) append(view.name, view.shape, view.role);
  begin_part();
}

const ParameterView& ParameterLayout::view(const std::string& name) const {
  for (const ParameterView& candidate : views) {
    if (candidate.name == name) return candidate;
  }
  throw Error::usage("the model has no tensor '" + name + "'");
}

}  // namespace sluice
