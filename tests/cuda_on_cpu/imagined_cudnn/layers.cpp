#include "imagined_cudnn/layers.h"

#include <cmath>

namespace {

constexpr int gap = 8;  // elements between a pseudo-layer's matrices and the next one's

double sigmoid(double v) { return 1.0 / (1.0 + std::exp(-v)); }

}  // namespace

std::int64_t cudnnRNNStruct::matrix(int pseudo_layer, int linear_layer) const {
  std::int64_t before = 0;
  for (int p = 0; p < pseudo_layer; ++p) {
    before += std::int64_t{gates()} * hidden * (columns(p) + hidden) + gap;
  }
  const int of_w = linear_layer < gates() ? linear_layer : gates();
  const int of_r = linear_layer < gates() ? 0 : linear_layer - gates();
  return before + std::int64_t{hidden} *
                      (std::int64_t{of_w} * columns(pseudo_layer) + std::int64_t{of_r} * hidden);
}

std::int64_t cudnnRNNStruct::bias(int pseudo_layer, int linear_layer) const {
  return matrix(layers * directions, 0) +
         (std::int64_t{pseudo_layer} * 2 * gates() + linear_layer) * hidden;
}

std::int64_t cudnnRNNStruct::elements() const { return bias(layers * directions, 0); }

namespace imagined_cudnn {
namespace {

/// One row of the batch through one pseudo-layer, and where its numbers lie.
struct Walk {
  const cudnnRNNStruct& layers;
  const cudnnRNNDataStruct& data;
  const Numbers& weights;
  int pseudo_layer, row;

  bool reverse() const { return pseudo_layer % layers.directions == 1; }
  int length() const { return data.lengths[static_cast<std::size_t>(row)]; }
  std::size_t position(int step) const {  // the step-th in this direction
    return static_cast<std::size_t>(data.first_row(reverse() ? length() - 1 - step : step) + row);
  }
  std::size_t state(int unit) const {
    return (static_cast<std::size_t>(pseudo_layer) * data.batch + row) * layers.hidden + unit;
  }
  double w(int gate, int unit, int column) const {
    return weights[static_cast<std::size_t>(w_at(gate, unit, column))];
  }
  double r(int gate, int unit, int column) const {
    return weights[static_cast<std::size_t>(r_at(gate, unit, column))];
  }
  std::int64_t w_at(int gate, int unit, int column) const {
    return layers.matrix(pseudo_layer, gate) + std::int64_t{unit} * layers.columns(pseudo_layer) +
           column;
  }
  std::int64_t r_at(int gate, int unit, int column) const {
    return layers.matrix(pseudo_layer, layers.gates() + gate) + std::int64_t{unit} * layers.hidden +
           column;
  }
  double bias(int linear_layer, int unit) const {
    return weights[static_cast<std::size_t>(layers.bias(pseudo_layer, linear_layer) + unit)];
  }
};

}  // namespace

void Forward::run() {
  const int hidden = layers.hidden, width = layers.directions * hidden;
  h_n = h0;
  c_n = c0;
  trace.outputs.assign(layers.layers, Numbers(static_cast<std::size_t>(data.rows()) * width));
  trace.gates.assign(layers.layers * layers.directions,
                     Numbers(static_cast<std::size_t>(data.rows()) * 5 * hidden));
  for (int p = 0; p < layers.layers * layers.directions; ++p) {
    const int layer = p / layers.directions, columns = layers.columns(p);
    const Numbers& in = layer == 0 ? x : trace.outputs[layer - 1];
    for (int row = 0; row < data.batch; ++row) {
      const Walk walk{layers, data, weights, p, row};
      for (int step = 0; step < walk.length(); ++step) {
        const std::size_t at = walk.position(step);
        double* const g = &trace.gates[p][at * 5 * hidden];
        Numbers h(hidden);
        for (int u = 0; u < hidden; ++u) {
          double from_x[4] = {}, from_h[4] = {};
          for (int gate = 0; gate < layers.gates(); ++gate) {
            from_x[gate] = walk.bias(gate, u);
            from_h[gate] = walk.bias(layers.gates() + gate, u);
            for (int k = 0; k < columns; ++k)
              from_x[gate] += walk.w(gate, u, k) * in[at * columns + k];
            for (int k = 0; k < hidden; ++k)
              from_h[gate] += walk.r(gate, u, k) * h_n[walk.state(k)];
          }
          if (layers.mode == CUDNN_LSTM) {
            const double i = sigmoid(from_x[0] + from_h[0]), f = sigmoid(from_x[1] + from_h[1]);
            const double c = std::tanh(from_x[2] + from_h[2]), o = sigmoid(from_x[3] + from_h[3]);
            double& cell = c_n[walk.state(u)];
            cell = f * cell + i * c;
            h[u] = o * std::tanh(cell);
            const double kept[] = {i, f, c, o, cell};
            for (int s = 0; s < 5; ++s) g[s * hidden + u] = kept[s];
          } else if (layers.mode == CUDNN_GRU) {
            const double reset = sigmoid(from_x[0] + from_h[0]), z = sigmoid(from_x[1] + from_h[1]);
            const double n = std::tanh(from_x[2] + reset * from_h[2]);
            h[u] = (1.0 - z) * n + z * h_n[walk.state(u)];
            const double kept[] = {reset, z, n, from_h[2], 0.0};
            for (int s = 0; s < 5; ++s) g[s * hidden + u] = kept[s];
          } else {
            const double sum = from_x[0] + from_h[0];
            h[u] = layers.mode == CUDNN_RNN_TANH ? std::tanh(sum) : sum > 0.0 ? sum : 0.0;
            g[u] = h[u];
          }
        }
        for (int u = 0; u < hidden; ++u) {
          h_n[walk.state(u)] = h[u];
          trace.outputs[layer][at * width + p % layers.directions * hidden + u] = h[u];
        }
      }
    }
  }
}

void Backward::run() {
  const int hidden = layers.hidden, width = layers.directions * hidden, gates = layers.gates();
  d_weights.assign(weights.size(), 0.0);
  Numbers d_out = dy;
  for (int layer = layers.layers - 1; layer >= 0; --layer) {
    const int columns = layers.columns(layer * layers.directions);
    const Numbers& in = layer == 0 ? x : trace.outputs[layer - 1];
    Numbers d_in(static_cast<std::size_t>(data.rows()) * columns, 0.0);
    for (int p = layer * layers.directions; p < (layer + 1) * layers.directions; ++p) {
      const int first = p % layers.directions * hidden;
      for (int row = 0; row < data.batch; ++row) {
        const Walk walk{layers, data, weights, p, row};
        for (int step = walk.length() - 1; step >= 0; --step) {
          const std::size_t at = walk.position(step);
          const double* const g = &trace.gates[p][at * 5 * hidden];
          // dg by what comes from x, dq by what comes from h.
          Numbers dg(gates * hidden), dq(gates * hidden), dh_before(hidden, 0.0), h(hidden);
          for (int u = 0; u < hidden; ++u) {
            h[u] = step == 0 ? h0[walk.state(u)]
                             : trace.outputs[layer][walk.position(step - 1) * width + first + u];
            const double d = dh[walk.state(u)] + d_out[at * width + first + u];
            if (layers.mode == CUDNN_LSTM) {
              const double i = g[u], f = g[hidden + u], n = g[2 * hidden + u],
                           o = g[3 * hidden + u];
              const double t = std::tanh(g[4 * hidden + u]);
              const double before =
                  step == 0 ? c0[walk.state(u)]
                            : trace.gates[p][walk.position(step - 1) * 5 * hidden + 4 * hidden + u];
              const double cell = dc[walk.state(u)] + d * o * (1.0 - t * t);
              const double by[] = {cell * n * i * (1.0 - i), cell * before * f * (1.0 - f),
                                   cell * i * (1.0 - n * n), d * t * o * (1.0 - o)};
              for (int gate = 0; gate < 4; ++gate)
                dg[gate * hidden + u] = dq[gate * hidden + u] = by[gate];
              dc[walk.state(u)] = cell * f;
            } else if (layers.mode == CUDNN_GRU) {
              const double r = g[u], z = g[hidden + u], n = g[2 * hidden + u],
                           q = g[3 * hidden + u];
              const double dn = d * (1.0 - z) * (1.0 - n * n);
              dg[u] = dq[u] = dn * q * r * (1.0 - r);
              dg[hidden + u] = dq[hidden + u] = d * (h[u] - n) * z * (1.0 - z);
              dg[2 * hidden + u] = dn;
              dq[2 * hidden + u] = dn * r;
              dh_before[u] = d * z;
            } else {
              const double slope = layers.mode == CUDNN_RNN_TANH ? 1.0 - g[u] * g[u]
                                   : g[u] > 0.0                  ? 1.0
                                                                 : 0.0;
              dg[u] = dq[u] = d * slope;
            }
          }
          for (int gate = 0; gate < gates; ++gate) {
            for (int u = 0; u < hidden; ++u) {
              const double by_x = dg[gate * hidden + u], by_h = dq[gate * hidden + u];
              d_weights[static_cast<std::size_t>(layers.bias(p, gate) + u)] += by_x;
              d_weights[static_cast<std::size_t>(layers.bias(p, gates + gate) + u)] += by_h;
              for (int k = 0; k < columns; ++k) {
                d_weights[static_cast<std::size_t>(walk.w_at(gate, u, k))] +=
                    by_x * in[at * columns + k];
                d_in[at * columns + k] += by_x * walk.w(gate, u, k);
              }
              for (int k = 0; k < hidden; ++k) {
                d_weights[static_cast<std::size_t>(walk.r_at(gate, u, k))] += by_h * h[k];
                dh_before[k] += by_h * walk.r(gate, u, k);
              }
            }
          }
          for (int u = 0; u < hidden; ++u) dh[walk.state(u)] = dh_before[u];
        }
      }
    }
    d_out = d_in;
  }
  dx = d_out;
}

}  // namespace imagined_cudnn
