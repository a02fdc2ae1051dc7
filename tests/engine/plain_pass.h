// One recurrent layer as plain 16-bit code computes it, step by step, every operation rounded: what
// the engine's error is measured against. Slow, and only for rows of equal length.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/recurrent.h"
#include "kernels/base/number.h"
#include "kernels/cells/gru.h"
#include "kernels/cells/lstm.h"
#include "kernels/cells/rnn.h"

namespace sluice::test {

/// A number of type S whose every operation is float32's, rounded to S.
template <class S>
struct Rounded {
  float value = 0.0f;

  Rounded() = default;
  Rounded(float x) : value(widen(narrow<S>(x))) {}

  friend Rounded operator+(Rounded a, Rounded b) { return a.value + b.value; }
  friend Rounded operator-(Rounded a, Rounded b) { return a.value - b.value; }
  friend Rounded operator*(Rounded a, Rounded b) { return a.value * b.value; }
  friend Rounded operator/(Rounded a, Rounded b) { return a.value / b.value; }
  friend Rounded operator-(Rounded a) { return -a.value; }
  friend Rounded reciprocal(Rounded x) { return 1.0f / x.value; }
  friend Rounded exponential(Rounded x) { return std::exp(x.value); }
  friend Rounded hyperbolic_tangent(Rounded x) { return std::tanh(x.value); }
  friend Rounded rectify(Rounded x) { return x.value < 0.0f ? 0.0f : x.value; }
  friend Rounded where_positive(Rounded x, Rounded gradient) {
    return x.value > 0.0f ? gradient : Rounded();
  }
};

/// Inputs and results as in RecurrentPass, of one layer in one direction.
template <class S>
class PlainPass {
 public:
  using R = Rounded<S>;
  std::vector<S> parameters, x, h0, c0, dy, dh_n, dc_n;         ///< in
  std::vector<double> y, h_n, c_n, dx, dh0, dc0, d_parameters;  ///< out

  PlainPass(const RecurrentConfig& config, std::int64_t steps, std::int64_t batch)
      : cell_(config.cell),
        steps_(steps),
        batch_(batch),
        in_(config.input_size),
        hidden_(config.hidden_size),
        gates_(gate_count(cell_)) {}

  void run() {
    forward();
    backward();
  }

 private:
  struct Unit {
    R slot[4], h_prev, c_prev, h, c;
  };

  std::int64_t ih() const { return 0; }
  std::int64_t hh() const { return gates_ * hidden_ * in_; }
  std::int64_t bias_ih() const { return hh() + gates_ * hidden_ * hidden_; }
  std::int64_t bias_hh() const { return bias_ih() + gates_ * hidden_; }
  float parameter(std::int64_t at) const { return widen(parameters[at]); }
  Unit& unit(std::int64_t t, std::int64_t b, std::int64_t u) {
    return units_[(t * batch_ + b) * hidden_ + u];
  }
  R x_at(std::int64_t t, std::int64_t b, std::int64_t i) const {
    return widen(x[(t * batch_ + b) * in_ + i]);
  }
  /// Where gate g's product with h goes, and its gradient comes from.
  int slot_of(int g) const { return cell_ == Cell::gru && g == 2 ? 3 : g; }

  /// Row `row` of a weight matrix times `numbers`, plus a bias: added up in float32, rounded once.
  template <class Numbers>
  R linear(std::int64_t matrix, std::int64_t width, std::int64_t row, std::int64_t bias,
           Numbers&& numbers) const {
    float sum = parameter(bias + row);
    for (std::int64_t k = 0; k < width; ++k)
      sum += parameter(matrix + row * width + k) * numbers(k).value;
    return sum;
  }

  void forward() {
    units_.resize(steps_ * batch_ * hidden_);
    std::vector<R> h(batch_ * hidden_), c(batch_ * hidden_);
    for (std::size_t i = 0; i < h.size(); ++i) h[i] = widen(h0[i]);
    for (std::size_t i = 0; i < c0.size(); ++i) c[i] = widen(c0[i]);
    for (std::int64_t t = 0; t < steps_; ++t) {
      for (std::int64_t b = 0; b < batch_; ++b) {
        const auto x_of = [&](std::int64_t i) { return x_at(t, b, i); };
        const auto h_of = [&](std::int64_t k) { return h[b * hidden_ + k]; };
        const auto q_of = [&](std::int64_t k) { return unit(t, b, k).slot[3]; };
        const auto from_x = [&](int g, std::int64_t u) {
          return linear(ih(), in_, g * hidden_ + u, bias_ih(), x_of);
        };
        const auto from_h = [&](int g, std::int64_t u) {
          return linear(hh(), hidden_, g * hidden_ + u, bias_hh(), h_of);
        };
        for (std::int64_t u = 0; u < hidden_; ++u) {
          Unit& at = unit(t, b, u);
          at.h_prev = h[b * hidden_ + u];
          at.c_prev = c[b * hidden_ + u];
          const int summed = gates_ == 3 ? 2 : static_cast<int>(gates_);
          for (int g = 0; g < summed; ++g) at.slot[g] = from_x(g, u) + from_h(g, u);
          switch (cell_) {
            case Cell::lstm: LstmCell::forward(at.slot, at.c_prev, at.c, at.h); break;
            case Cell::gru:
              at.slot[2] = from_x(2, u);
              at.slot[3] = from_h(2, u);
              GruCell::forward(at.slot, at.h_prev, at.h);
              break;
            case Cell::gru_reset_before:
              GruResetBeforeCell::forward_reset(at.slot, at.h_prev);
              break;
            case Cell::rnn_tanh: RnnCell<false>::forward(at.slot, at.h); break;
            case Cell::rnn_relu: RnnCell<true>::forward(at.slot, at.h); break;
          }
        }
        for (std::int64_t u = 0; u < hidden_ && cell_ == Cell::gru_reset_before; ++u) {
          Unit& at = unit(t, b, u);
          at.slot[2] = from_x(2, u) + linear(hh(), hidden_, 2 * hidden_ + u, bias_hh(), q_of);
          GruResetBeforeCell::forward_output(at.slot, at.h_prev, at.h);
        }
        for (std::int64_t u = 0; u < hidden_; ++u) {
          y.push_back(unit(t, b, u).h.value);
          c[b * hidden_ + u] = unit(t, b, u).c;
        }
        for (std::int64_t u = 0; u < hidden_; ++u) h[b * hidden_ + u] = unit(t, b, u).h;
      }
    }
    for (const R& number : h) h_n.push_back(number.value);
    for (const R& number : c) c_n.push_back(number.value);
  }

  /// Sum over gates [first, last) of their gradients times R, for unit k of row b.
  R through_r(std::int64_t t, std::int64_t b, std::int64_t k, int first, int last) {
    float sum = 0.0f;
    for (int g = first; g < last; ++g) {
      for (std::int64_t u = 0; u < hidden_; ++u) {
        sum += unit(t, b, u).slot[slot_of(g)].value *
               parameter(hh() + (g * hidden_ + u) * hidden_ + k);
      }
    }
    return sum;
  }

  void backward() {
    std::vector<R> dh(batch_ * hidden_), dc(batch_ * hidden_), direct(hidden_), dq(hidden_);
    std::vector<float> weights(parameters.size());
    for (std::size_t i = 0; i < dh.size(); ++i) dh[i] = widen(dh_n[i]);
    for (std::size_t i = 0; i < dc_n.size(); ++i) dc[i] = widen(dc_n[i]);
    dx.resize(x.size());
    for (std::int64_t t = steps_ - 1; t >= 0; --t) {
      for (std::int64_t b = 0; b < batch_; ++b) {
        std::vector<R> q(hidden_);
        for (std::int64_t u = 0; u < hidden_; ++u) {
          Unit& at = unit(t, b, u);
          const R whole = dh[b * hidden_ + u] + R(widen(dy[(t * batch_ + b) * hidden_ + u]));
          q[u] = at.slot[3];
          direct[u] = R();
          switch (cell_) {
            case Cell::lstm:
              LstmCell::backward(at.slot, at.c_prev, at.c, whole, dc[b * hidden_ + u]);
              break;
            case Cell::gru: GruCell::backward(at.slot, at.h_prev, whole, direct[u]); break;
            case Cell::gru_reset_before:
              GruResetBeforeCell::backward_output(at.slot, at.h_prev, whole, direct[u]);
              break;
            case Cell::rnn_tanh: RnnCell<false>::backward(at.slot, whole); break;
            case Cell::rnn_relu: RnnCell<true>::backward(at.slot, whole); break;
          }
        }
        const bool before = cell_ == Cell::gru_reset_before;
        for (std::int64_t u = 0; before && u < hidden_; ++u) dq[u] = through_r(t, b, u, 2, 3);
        for (std::int64_t u = 0; before && u < hidden_; ++u) {
          Unit& at = unit(t, b, u);
          R masked;
          GruResetBeforeCell::backward_reset(at.slot, at.h_prev, dq[u], masked);
          direct[u] = direct[u] + masked;
        }
        for (std::int64_t u = 0; u < hidden_; ++u) {
          dh[b * hidden_ + u] =
              direct[u] + through_r(t, b, u, 0, before ? 2 : static_cast<int>(gates_));
        }
        add_weights(t, b, q, weights);
      }
    }
    for (const R& number : dh) dh0.push_back(number.value);
    for (const R& number : dc) dc0.push_back(number.value);
    for (const float sum : weights) d_parameters.push_back(R(sum).value);
  }

  void add_weights(std::int64_t t, std::int64_t b, const std::vector<R>& q,
                   std::vector<float>& weights) {
    for (std::int64_t i = 0; i < in_; ++i) {
      float sum = 0.0f;
      for (std::int64_t row = 0; row < gates_ * hidden_; ++row) {
        sum +=
            unit(t, b, row % hidden_).slot[row / hidden_].value * parameter(ih() + row * in_ + i);
      }
      dx[(t * batch_ + b) * in_ + i] = R(sum).value;
    }
    for (std::int64_t row = 0; row < gates_ * hidden_; ++row) {
      const int g = static_cast<int>(row / hidden_);
      const Unit& at = unit(t, b, row % hidden_);
      const float from_x = at.slot[g].value, from_h = at.slot[slot_of(g)].value;
      for (std::int64_t i = 0; i < in_; ++i)
        weights[ih() + row * in_ + i] += from_x * x_at(t, b, i).value;
      for (std::int64_t k = 0; k < hidden_; ++k) {
        const bool from_q = cell_ == Cell::gru_reset_before && g == 2;
        weights[hh() + row * hidden_ + k] += from_h * (from_q ? q[k] : unit(t, b, k).h_prev).value;
      }
      weights[bias_ih() + row] += from_x;
      weights[bias_hh() + row] += from_h;
    }
  }

  const Cell cell_;
  const std::int64_t steps_, batch_, in_, hidden_, gates_;
  std::vector<Unit> units_;
};

}  // namespace sluice::test
