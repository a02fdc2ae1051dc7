// A direction of a layer as plain loops in double, step by step and unit by unit, with the
// equations of kernels/cells/ (whose derivatives tests/kernels/cells checks): what time loops are
// measured by.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"
#include "tests/kernels/sequences_fixture.h"

namespace sluice::test {

/// Arrays as in kernels/time_loops/recurrence.h, over all steps; ldh = lddy = H.
struct PlainArrays {
  std::int64_t hidden = 0;
  bool reverse = false;
  std::vector<double> weight_hh, bias, unit_weights, x_products;  ///< x W^T [N, G*H]
  std::vector<double> mask;                                       ///< empty: none
  std::vector<double> h_initial, c_initial, dy, dh_last, dc_last;
  ZoneoutDraws zoneout;

  std::vector<double> h, c, h_last, c_last;                ///< of forward
  std::vector<double> slots, kept;                         ///< as forward leaves them; backward's
  std::vector<double> dh_first, dc_first, d_unit_weights;  ///< of backward
};

template <class C>
class PlainRecurrence {
  static constexpr CellSpec spec = C::spec;
  using U = Unit<C, double>;

 public:
  PlainRecurrence(const SequencesOnDevice& sequences, PlainArrays& arrays)
      : of_(sequences), a_(arrays), hidden_(arrays.hidden), batch_(sequences.batch()) {}

  void forward() {
    a_.h_last = a_.h_initial, a_.c_last = a_.c_initial;
    a_.h.assign(of_.rows() * hidden_, 0.0), a_.c = a_.h;
    a_.kept.assign(of_.rows() * spec.slots * hidden_, 0.0);
    for_each_row(false, [&](std::int64_t r, std::int64_t t) {
      std::vector<U> units(hidden_);
      for (std::int64_t u = 0; u < hidden_; ++u) load(units[u], r, u, &a_.h_last, &a_.c_last);
      for (int s = 0; s < spec.slots; ++s) {
        if (spec.slot[s].operand < 0) add_up(units, s, r, t);
      }
      if constexpr (spec.two_phases()) {
        for (std::int64_t u = 0; u < hidden_; ++u) {
          C::forward_operand(units[u], units[u].previous[0] * mask(spec.gates_from_h(), r, u));
        }
        for (int s = 0; s < spec.slots; ++s) {
          if (spec.slot[s].operand >= 0) add_up(units, s, r, t);
        }
      }
      for (std::int64_t u = 0; u < hidden_; ++u) {
        double drawn[Wrapped<C>::numbers];
        draw(drawn, r, t, u);
        Wrapped<C>::forward(units[u], drawn);
        put(a_.kept, units[u], r, t, u);
        a_.h_last[r * hidden_ + u] = a_.h[row(r, t) * hidden_ + u] = units[u].state[0];
        if constexpr (spec.has_cell_state()) {
          a_.c_last[r * hidden_ + u] = a_.c[row(r, t) * hidden_ + u] = units[u].state[1];
        }
      }
    });
    a_.slots = a_.kept;
  }

  void backward() {
    a_.dh_first = a_.dh_last, a_.dc_first = a_.dc_last;
    a_.d_unit_weights.assign(spec.unit_weights * hidden_, 0.0);
    for_each_row(true, [&](std::int64_t r, std::int64_t t) {
      const std::int64_t before = a_.reverse ? t + 1 : t - 1;
      const bool began = a_.reverse ? before >= of_.lengths()[r] : before < 0;
      const auto previous = [&](const std::vector<double>& kept,
                                const std::vector<double>& initial) {
        const double* at = began ? &initial[r * hidden_] : &kept[row(r, before) * hidden_];
        return std::vector<double>(at, at + hidden_);
      };
      const std::vector<double> h_before = previous(a_.h, a_.h_initial);
      const std::vector<double> c_before = previous(a_.c, a_.c_initial);
      std::vector<U> units(hidden_);
      std::vector<double> from_h(hidden_);  // what comes by the way of R
      for (std::int64_t u = 0; u < hidden_; ++u) {
        U& unit = units[u];
        load(unit, r, u, nullptr, nullptr);
        unit.previous[0] = h_before[u];
        for (int s = 0; s < spec.slots; ++s) unit.slot[s] = a_.kept[slot(r, t, s, u)];
        unit.d_state[0] = a_.dh_first[r * hidden_ + u] + a_.dy[row(r, t) * hidden_ + u];
        if constexpr (spec.has_cell_state()) {
          unit.previous[1] = c_before[u];
          unit.d_state[1] = a_.dc_first[r * hidden_ + u];
        }
        double drawn[Wrapped<C>::numbers];
        draw(drawn, r, t, u);
        Wrapped<C>::backward(unit, drawn);
      }
      if constexpr (spec.two_phases()) {
        for (std::int64_t k = 0; k < hidden_; ++k) {
          double d_operand = 0, d_h_masked = 0;
          for (int s = 0; s < spec.slots; ++s) {
            if (spec.slot[s].operand >= 0) d_operand += through(units, s, k);
          }
          const double m = mask(spec.gates_from_h(), r, k);
          C::backward_operand(units[k], m * h_before[k], d_operand, d_h_masked);
          from_h[k] += m * d_h_masked;
        }
      }
      for (int s = 0; s < spec.slots; ++s) {
        if (spec.slot[s].recurrent < 0 || spec.slot[s].operand >= 0) continue;
        for (std::int64_t k = 0; k < hidden_; ++k) {
          from_h[k] += mask(spec.slot[s].recurrent, r, k) * through(units, s, k);
        }
      }
      for (std::int64_t u = 0; u < hidden_; ++u) {
        put(a_.slots, units[u], r, t, u);
        a_.dh_first[r * hidden_ + u] = units[u].d_state[0] + from_h[u];
        if constexpr (spec.has_cell_state()) a_.dc_first[r * hidden_ + u] = units[u].d_state[1];
        for (int w = 0; w < spec.unit_weights; ++w) {
          const UnitWeight weight = spec.unit_weight[w];
          const double factor = weight.factor_slot >= 0      ? units[u].slot[weight.factor_slot]
                                : weight.previous_state == 0 ? h_before[u]
                                                             : c_before[u];
          a_.d_unit_weights[w * hidden_ + u] +=
              units[u].slot[weight.slot] * factor *
              (spec.recurrent_matrix ? 1.0 : mask(weight.slot, r, u));
        }
      }
    });
  }

 private:
  template <class Use>
  void for_each_row(bool backwards, Use&& use) const {
    for (std::int64_t r = 0; r < batch_; ++r) {
      const std::int64_t length = of_.lengths()[r];
      for (std::int64_t i = 0; i < length; ++i)
        use(r, a_.reverse != backwards ? length - 1 - i : i);
    }
  }
  std::int64_t row(std::int64_t r, std::int64_t t) const { return of_.packed_row(r, t); }
  std::int64_t slot(std::int64_t r, std::int64_t t, int s, std::int64_t u) const {
    return (row(r, t) * spec.slots + s) * hidden_ + u;
  }
  void put(std::vector<double>& slots, const U& unit, std::int64_t r, std::int64_t t,
           std::int64_t u) const {
    for (int s = 0; s < spec.slots; ++s) slots[slot(r, t, s, u)] = unit.slot[s];
  }
  double mask(int gate, std::int64_t r, std::int64_t u) const {
    return a_.mask.empty() ? 1.0 : a_.mask[(gate * batch_ + r) * hidden_ + u];
  }
  void draw(double (&drawn)[Wrapped<C>::numbers], std::int64_t r, std::int64_t t,
            std::int64_t u) const {
    UnitDraws draws;
    draws.zoneout = a_.zoneout;
    for (int i = 0; i < Wrapped<C>::numbers; ++i) {
      drawn[i] = draws.number<double>(i, static_cast<std::uint32_t>(t), of_.order()[r],
                                      static_cast<std::uint32_t>(u));
    }
  }
  void load(U& unit, std::int64_t r, std::int64_t u, const std::vector<double>* h,
            const std::vector<double>* c) const {
    for (double& sum : unit.slot) sum = 0.0;
    if (h != nullptr) unit.previous[0] = (*h)[r * hidden_ + u];
    if constexpr (spec.has_cell_state()) {
      if (c != nullptr) unit.previous[1] = (*c)[r * hidden_ + u];
    }
    for (int w = 0; w < spec.unit_weights; ++w) {
      unit.weight[w] = a_.unit_weights[w * hidden_ + u] *
                       (spec.recurrent_matrix ? 1.0 : mask(spec.unit_weight[w].slot, r, u));
    }
  }
  // What CellSlot says is added up in slot s.
  void add_up(std::vector<U>& units, int s, std::int64_t r, std::int64_t t) const {
    const CellSlot of = spec.slot[s];
    for (std::int64_t u = 0; u < hidden_; ++u) {
      double sum = 0;
      if (s < spec.gates) sum += a_.x_products[(row(r, t) * spec.gates + s) * hidden_ + u];
      if (of.bias != SlotBias::none) sum += a_.bias[s * hidden_ + u];
      for (std::int64_t k = 0; of.recurrent >= 0 && k < hidden_; ++k) {
        const double input = of.operand >= 0 ? units[k].slot[of.operand]
                                             : mask(of.recurrent, r, k) * units[k].previous[0];
        sum += weight(of.recurrent, u, k) * input;
      }
      if (spec.holds_sum(s)) units[u].slot[s] = sum;
    }
  }
  double weight(int gate, std::int64_t u, std::int64_t k) const {
    return a_.weight_hh[(gate * hidden_ + u) * hidden_ + k];
  }
  // The gradient in slot s of all units, times R, for number k of what entered R.
  double through(const std::vector<U>& units, int s, std::int64_t k) const {
    double sum = 0;
    for (std::int64_t u = 0; u < hidden_; ++u) {
      sum += units[u].slot[s] * weight(spec.slot[s].recurrent, u, k);
    }
    return sum;
  }

  const SequencesOnDevice& of_;
  PlainArrays& a_;
  const std::int64_t hidden_, batch_;
};

}  // namespace sluice::test
