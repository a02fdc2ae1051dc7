#include "bench/peers/onednn_weights.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice::bench {
namespace {

constexpr std::array<int, 4> lstm_gates{0, 1, 2, 3};
constexpr std::array<int, 4> gru_gates{1, 0, 2, 3};  // its own inverse

// oneDNN's gate `g` is gate gates(cell)[g] of Sluice.
const std::array<int, 4>& gates(Cell cell) { return cell == Cell::gru ? gru_gates : lstm_gates; }

}  // namespace

OnednnWeights to_onednn(const RecurrentConfig& config, const std::vector<float>& parameters) {
  OnednnWeights made;
  const std::int64_t h = config.hidden_size;
  const int g = gate_count(config.cell);
  const std::vector<ParameterView> views = recurrent_parameters(config);
  for (std::size_t v = 0; v < views.size(); v += 4) {
    const auto append_gates = [&](const ParameterView& view, std::vector<float>& to) {
      const std::int64_t gate = view.size() / g;
      for (int i = 0; i < g; ++i) {
        const auto from = parameters.begin() + view.offset + gates(config.cell)[i] * gate;
        to.insert(to.end(), from, from + gate);
      }
    };
    append_gates(views[v], made.layer);
    append_gates(views[v + 1], made.iter);
    const float* const input = parameters.data() + views[v + 2].offset;
    const float* const recurrent = parameters.data() + views[v + 3].offset;
    for (int i = 0; i < g; ++i) {
      const std::int64_t first = gates(config.cell)[i] * h;
      const bool input_alone = config.cell == Cell::gru && i == 2;
      for (std::int64_t j = first; j < first + h; ++j) {
        made.bias.push_back(input[j] + (input_alone ? 0.0f : recurrent[j]));
      }
    }
    if (config.cell == Cell::gru) {
      made.bias.insert(made.bias.end(), recurrent + 2 * h, recurrent + 3 * h);
    }
  }
  return made;
}

std::vector<float> from_onednn(const RecurrentConfig& config, const OnednnWeights& gradients) {
  const std::int64_t h = config.hidden_size;
  const int g = gate_count(config.cell);
  const std::vector<ParameterView> views = recurrent_parameters(config);
  std::vector<float> flat(static_cast<std::size_t>(parameter_count(views)));
  const float* layer = gradients.layer.data();
  const float* iter = gradients.iter.data();
  const float* bias = gradients.bias.data();
  for (std::size_t v = 0; v < views.size(); v += 4) {
    const auto take_gates = [&](const ParameterView& view, const float*& from) {
      const std::int64_t gate = view.size() / g;
      for (int i = 0; i < g; ++i, from += gate) {
        std::copy_n(from, gate, flat.begin() + view.offset + gates(config.cell)[i] * gate);
      }
    };
    take_gates(views[v], layer);
    take_gates(views[v + 1], iter);
    const float* recurrent = bias;
    const float* input = bias;
    take_gates(views[v + 2], input);
    take_gates(views[v + 3], recurrent);
    if (config.cell == Cell::gru) {  // the fourth is bRn's
      std::copy_n(bias + 3 * h, h, flat.begin() + views[v + 3].offset + 2 * h);
    }
    bias += (config.cell == Cell::gru ? 4 : g) * h;
  }
  return flat;
}

}  // namespace sluice::bench
