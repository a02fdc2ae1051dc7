// Every cell's equations as papers have them, for one unit of one row in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/cells/list.h"

namespace sluice::test {

inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// What one unit of one row reads.
struct UnitIn {
  double pre[5];  ///< the sums its slots hold before the step, bias included
  double h_prev, c_prev;
  double weight[3];  ///< with recurrent dropout's factor where that is on them
  double mask;       ///< recurrent dropout's factor of gate n
  double taken[2];   ///< zoneout's share of the new h, c
};
struct UnitOut {
  double slot[5], h, c;
};

/// Without zoneout.
inline UnitOut equations(Cell cell, const UnitIn& in) {
  UnitOut out = {};
  double* const slot = out.slot;
  const double *pre = in.pre, *weight = in.weight;
  switch (cell) {
    case Cell::rnn_tanh: slot[0] = out.h = std::tanh(pre[0]); break;
    case Cell::rnn_relu: slot[0] = out.h = std::max(pre[0], 0.0); break;
    case Cell::indrnn: slot[0] = out.h = std::max(pre[0] + weight[0] * in.h_prev, 0.0); break;
    case Cell::lstm:
      for (const int gate : {0, 1, 3}) slot[gate] = logistic(pre[gate]);
      slot[2] = std::tanh(pre[2]);
      out.c = slot[1] * in.c_prev + slot[0] * slot[2];
      out.h = slot[3] * std::tanh(out.c);
      break;
    case Cell::lstm_peephole:
      for (const int gate : {0, 1}) slot[gate] = logistic(pre[gate] + weight[gate] * in.c_prev);
      slot[2] = std::tanh(pre[2]);
      slot[4] = out.c = slot[1] * in.c_prev + slot[0] * slot[2];
      slot[3] = logistic(pre[3] + weight[2] * out.c);
      out.h = slot[3] * std::tanh(out.c);
      break;
    case Cell::lstm_coupled:
      for (const int gate : {0, 2}) slot[gate] = logistic(pre[gate]);
      slot[1] = std::tanh(pre[1]);
      out.c = (1 - slot[0]) * in.c_prev + slot[0] * slot[1];
      out.h = slot[2] * std::tanh(out.c);
      break;
    case Cell::gru:
    case Cell::gru_reset_before:
      slot[0] = logistic(pre[0]);
      slot[1] = logistic(pre[1]);
      if (cell == Cell::gru) {
        slot[3] = pre[3];
        slot[2] = std::tanh(pre[2] + slot[0] * pre[3]);
      } else {
        slot[3] = slot[0] * in.mask * in.h_prev;
        slot[2] = std::tanh(pre[2]);
      }
      out.h = (1 - slot[1]) * slot[2] + slot[1] * in.h_prev;
      break;
  }
  return out;
}

inline UnitOut reference(Cell cell, const UnitIn& in) {
  UnitOut out = equations(cell, in);
  out.h = in.taken[0] * out.h + (1 - in.taken[0]) * in.h_prev;
  out.c = in.taken[1] * out.c + (1 - in.taken[1]) * in.c_prev;
  return out;
}

/// d(loss)/d(field) by central differences.
inline double derivative(const std::function<double(const UnitIn&)>& loss, UnitIn in,
                         double* (*field)(UnitIn&, int), int index) {
  const double epsilon = 1e-6, value = *field(in, index);
  *field(in, index) = value + epsilon;
  const double above = loss(in);
  *field(in, index) = value - epsilon;
  return (above - loss(in)) / (2 * epsilon);
}
inline double* pre_field(UnitIn& in, int slot) { return &in.pre[slot]; }
inline double* h_prev_field(UnitIn& in, int) { return &in.h_prev; }
inline double* c_prev_field(UnitIn& in, int) { return &in.c_prev; }

}  // namespace sluice::test
