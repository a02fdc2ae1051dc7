// How the recurrent weights of a cell are cut into panels for kernels/simd/panel_product.h.
#pragma once

#include "kernels/simd/pack.h"
#include "kernels/types.h"

namespace sluice::SLUICE_ISA {

SLUICE_INLINE std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// A run of gates whose products are taken together. A panel holds `gates` gates of
/// `unit_packs` packs of units, vector j being gate j % gates of pack j / gates.
template <int first_gate_, int gates_, int unit_packs_>
struct GateGroup {
  static constexpr int first_gate = first_gate_;
  static constexpr int gates = gates_;
  static constexpr int unit_packs = unit_packs_;
  static constexpr int vectors = gates_ * unit_packs_;

  template <class T>
  SLUICE_INLINE static std::int64_t panels(std::int64_t hidden_size) {
    return divide_up(hidden_size, unit_packs * Pack<T>::width);
  }
  template <class T>
  SLUICE_INLINE static std::int64_t panel_size(std::int64_t hidden_size) {
    return hidden_size * vectors * Pack<T>::width;
  }
};

using LstmGates = GateGroup<0, 4, 1>;
using GruGates = GateGroup<0, 3, 1>;
using RnnGates = GateGroup<0, 1, 4>;
using ResetUpdateGates = GateGroup<0, 2, 2>;  // GRU reset-before: r and z, before ...
using CandidateGate = GateGroup<2, 1, 4>;     // ... n, whose input needs r of all units

/// weight_hh [G*H, H] -> panels [panel][k][vector], zeros past H.
template <class Group, class T>
void pack_group(const T* weight_hh, std::int64_t hidden_size, T* packed) {
  constexpr int width = Pack<T>::width;
  for (std::int64_t panel = 0; panel < Group::template panels<T>(hidden_size); ++panel) {
    for (int j = 0; j < Group::vectors; ++j) {
      const std::int64_t gate = Group::first_gate + j % Group::gates;
      for (int lane = 0; lane < width; ++lane) {
        const std::int64_t unit = (panel * Group::unit_packs + j / Group::gates) * width + lane;
        const T* row = weight_hh + (gate * hidden_size + unit) * hidden_size;
        T* to = packed + panel * Group::template panel_size<T>(hidden_size) + j * width + lane;
        for (std::int64_t k = 0; k < hidden_size; ++k) {
          to[k * Group::vectors * width] = unit < hidden_size ? row[k] : T(0);
        }
      }
    }
  }
}

}  // namespace sluice::SLUICE_ISA
