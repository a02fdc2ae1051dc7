// One recurrent layer as plain 16-bit code computes it, step by step, every operation rounded: what
// the engine's error is measured against. Slow, and only for rows of equal length.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/recurrent.h"
#include "kernels/base/number.h"
#include "kernels/cells/list.h"

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
      : spec_(spec_of(config.cell)),
        cell_(config.cell),
        steps_(steps),
        batch_(batch),
        in_(config.input_size),
        hidden_(config.hidden_size),
        gates_(spec_.gates) {
    const auto views = recurrent_parameters(config);
    const auto offset = [&](ParameterKind kind) {
      const ParameterView* const view = find_parameter(views, kind, 0, 0);
      return view == nullptr ? std::int64_t{-1} : view->offset;
    };
    ih_ = offset(ParameterKind::input_matrix);
    hh_ = offset(ParameterKind::recurrent_matrix);
    bias_ih_ = offset(ParameterKind::input_bias);
    bias_hh_ = offset(ParameterKind::recurrent_bias);
    unit_weights_ = offset(ParameterKind::unit_weight);
  }

  void run() {
    with_cell(cell_, [&]<class C>(C) {
      forward<C>();
      backward<C>();
    });
  }

 private:
  struct Place {
    R slot[5], previous[2], state[2];  // states: h, c
  };

  float parameter(std::int64_t at) const { return widen(parameters[at]); }
  Place& place(std::int64_t t, std::int64_t b, std::int64_t u) {
    return places_[(t * batch_ + b) * hidden_ + u];
  }
  R x_at(std::int64_t t, std::int64_t b, std::int64_t i) const {
    return widen(x[(t * batch_ + b) * in_ + i]);
  }

  template <class C>
  Unit<C, R> unit_of(const Place& at, std::int64_t u) const {
    Unit<C, R> unit;
    for (int s = 0; s < spec_.slots; ++s) unit.slot[s] = at.slot[s];
    for (int s = 0; s < spec_.states; ++s) {
      unit.previous[s] = at.previous[s];
      unit.state[s] = at.state[s];
    }
    for (int w = 0; w < spec_.unit_weights; ++w) {
      unit.weight[w] = parameter(unit_weights_ + w * hidden_ + u);
    }
    return unit;
  }
  template <class C>
  void keep(const Unit<C, R>& unit, Place& at) const {
    for (int s = 0; s < spec_.slots; ++s) at.slot[s] = unit.slot[s];
    for (int s = 0; s < spec_.states; ++s) at.state[s] = unit.state[s];
  }

  /// Row `row` of a weight matrix times `numbers`, plus a bias: added up in float32, rounded once.
  template <class Numbers>
  R linear(std::int64_t matrix, std::int64_t width, std::int64_t row, std::int64_t bias,
           Numbers&& numbers) const {
    float sum = parameter(bias + row);
    for (std::int64_t k = 0; k < width; ++k)
      sum += parameter(matrix + row * width + k) * numbers(k).value;
    return sum;
  }

  /// What CellSlot says is added up in slot s of row b. Each product has its bias.
  void add_up(std::int64_t t, std::int64_t b, int s) {
    const CellSlot of = spec_.slot[s];
    for (std::int64_t u = 0; u < hidden_; ++u) {
      R& sum = place(t, b, u).slot[s];
      if (s < gates_) {
        sum = linear(ih_, in_, s * hidden_ + u, bias_ih_,
                     [&](std::int64_t i) { return x_at(t, b, i); });
      }
      if (of.recurrent >= 0) {
        const R product = linear(hh_, hidden_, of.recurrent * hidden_ + u, bias_hh_,
                                 [&](std::int64_t k) { return recurrent_input(t, b, k, of); });
        sum = s < gates_ ? sum + product : product;
      } else if (of.bias == SlotBias::both) {
        sum = sum + R(parameter(bias_hh_ + s * hidden_ + u));
      }
    }
  }
  /// Number k of what the product of a slot multiplies.
  R recurrent_input(std::int64_t t, std::int64_t b, std::int64_t k, const CellSlot& of) {
    const Place& at = place(t, b, k);
    return of.operand >= 0 ? at.slot[of.operand] : at.previous[0];
  }

  template <class C>
  void forward() {
    places_.resize(steps_ * batch_ * hidden_);
    std::vector<R> h(batch_ * hidden_), c(batch_ * hidden_);
    for (std::size_t i = 0; i < h.size(); ++i) h[i] = widen(h0[i]);
    for (std::size_t i = 0; i < c0.size(); ++i) c[i] = widen(c0[i]);
    for (std::int64_t t = 0; t < steps_; ++t) {
      for (std::int64_t b = 0; b < batch_; ++b) {
        for (std::int64_t u = 0; u < hidden_; ++u) {
          place(t, b, u).previous[0] = h[b * hidden_ + u];
          place(t, b, u).previous[1] = c[b * hidden_ + u];
        }
        for (int s = 0; s < spec_.slots; ++s) {
          if (spec_.slot[s].operand < 0) add_up(t, b, s);
        }
        if constexpr (C::spec.two_phases()) {
          for (std::int64_t u = 0; u < hidden_; ++u) {
            auto unit = unit_of<C>(place(t, b, u), u);
            C::forward_operand(unit, unit.previous[0]);
            keep(unit, place(t, b, u));
          }
          for (int s = 0; s < spec_.slots; ++s) {
            if (spec_.slot[s].operand >= 0) add_up(t, b, s);
          }
        }
        for (std::int64_t u = 0; u < hidden_; ++u) {
          auto unit = unit_of<C>(place(t, b, u), u);
          C::forward(unit);
          keep(unit, place(t, b, u));
          y.push_back(unit.state[0].value);
          h[b * hidden_ + u] = unit.state[0];
          c[b * hidden_ + u] = place(t, b, u).state[1];
        }
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
        sum += place(t, b, u).slot[spec_.slot_of_gate(g)].value *
               parameter(hh_ + (g * hidden_ + u) * hidden_ + k);
      }
    }
    return sum;
  }

  template <class C>
  void backward() {
    std::vector<R> dh(batch_ * hidden_), dc(batch_ * hidden_), direct(hidden_);
    std::vector<float> weights(parameters.size());
    for (std::size_t i = 0; i < dh.size(); ++i) dh[i] = widen(dh_n[i]);
    for (std::size_t i = 0; i < dc_n.size(); ++i) dc[i] = widen(dc_n[i]);
    dx.resize(x.size());
    for (std::int64_t t = steps_ - 1; t >= 0; --t) {
      for (std::int64_t b = 0; b < batch_; ++b) {
        for (std::int64_t u = 0; u < hidden_; ++u) {
          auto unit = unit_of<C>(place(t, b, u), u);
          unit.d_state[0] = dh[b * hidden_ + u] + R(widen(dy[(t * batch_ + b) * hidden_ + u]));
          if constexpr (C::spec.has_cell_state()) unit.d_state[1] = dc[b * hidden_ + u];
          C::backward(unit);
          keep(unit, place(t, b, u));
          direct[u] = unit.d_state[0];
          if constexpr (C::spec.has_cell_state()) dc[b * hidden_ + u] = unit.d_state[1];
        }
        if constexpr (C::spec.two_phases()) {
          std::vector<R> dq(hidden_);
          for (std::int64_t u = 0; u < hidden_; ++u) {
            dq[u] = through_r(t, b, u, spec_.gates_from_h(), spec_.gates);
          }
          for (std::int64_t u = 0; u < hidden_; ++u) {
            auto unit = unit_of<C>(place(t, b, u), u);
            R masked;
            C::backward_operand(unit, unit.previous[0], dq[u], masked);
            keep(unit, place(t, b, u));
            direct[u] = direct[u] + masked;
          }
        }
        for (std::int64_t u = 0; u < hidden_; ++u) {
          dh[b * hidden_ + u] = direct[u] + through_r(t, b, u, 0, spec_.gates_from_h());
        }
        add_weights(t, b, weights);
      }
    }
    for (const R& number : dh) dh0.push_back(number.value);
    for (const R& number : dc) dc0.push_back(number.value);
    for (const float sum : weights) d_parameters.push_back(R(sum).value);
  }

  void add_weights(std::int64_t t, std::int64_t b, std::vector<float>& weights) {
    for (std::int64_t i = 0; i < in_; ++i) {
      float sum = 0.0f;
      for (std::int64_t row = 0; row < gates_ * hidden_; ++row) {
        sum +=
            place(t, b, row % hidden_).slot[row / hidden_].value * parameter(ih_ + row * in_ + i);
      }
      dx[(t * batch_ + b) * in_ + i] = R(sum).value;
    }
    for (std::int64_t row = 0; row < gates_ * hidden_; ++row) {
      const int g = static_cast<int>(row / hidden_);
      const int product = spec_.recurrent_matrix ? spec_.slot_of_gate(g) : g;
      const Place& at = place(t, b, row % hidden_);
      const float from_x = at.slot[g].value, from_h = at.slot[product].value;
      for (std::int64_t i = 0; i < in_; ++i)
        weights[ih_ + row * in_ + i] += from_x * x_at(t, b, i).value;
      for (std::int64_t k = 0; spec_.recurrent_matrix && k < hidden_; ++k) {
        weights[hh_ + row * hidden_ + k] +=
            from_h * recurrent_input(t, b, k, spec_.slot[product]).value;
      }
      weights[bias_ih_ + row] += from_x;
      weights[bias_hh_ + row] += from_h;
    }
    for (int w = 0; w < spec_.unit_weights; ++w) {
      const UnitWeight of = spec_.unit_weight[w];
      for (std::int64_t u = 0; u < hidden_; ++u) {
        const Place& at = place(t, b, u);
        const R factor =
            of.factor_slot >= 0 ? at.slot[of.factor_slot] : at.previous[of.previous_state];
        weights[unit_weights_ + w * hidden_ + u] += at.slot[of.slot].value * factor.value;
      }
    }
  }

  const CellSpec& spec_;
  const Cell cell_;
  const std::int64_t steps_, batch_, in_, hidden_, gates_;
  std::int64_t ih_, hh_, bias_ih_, bias_hh_, unit_weights_;
  std::vector<Place> places_;
};

}  // namespace sluice::test
