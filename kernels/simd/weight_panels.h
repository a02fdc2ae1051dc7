// How recurrent weights are cut into panels for kernels/simd/panel_product.h.
#pragma once

#include "kernels/base/types.h"
#include "kernels/simd/transpose.h"

namespace sluice::SLUICE_ISA {

SLUICE_INLINE std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

SLUICE_INLINE std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// Packs that a panel is wide, if its gates divide that.
inline constexpr int kPanelVectors = 4;

/// A run of gates whose products are taken together. A panel holds `gates` gates of
/// `unit_packs` packs of units, vector j being gate j % gates of pack j / gates.
template <int first_gate_, int gates_>
struct GateGroup {
  static constexpr int first_gate = first_gate_;
  static constexpr int gates = gates_;
  static constexpr int unit_packs = gates < kPanelVectors ? kPanelVectors / gates : 1;
  static constexpr int vectors = gates * unit_packs;

  template <class T>
  SLUICE_INLINE static std::int64_t panels(std::int64_t hidden_size) {
    return divide_up(hidden_size, unit_packs * Pack<T>::width);
  }
  template <class T>
  SLUICE_INLINE static std::int64_t panel_size(std::int64_t hidden_size) {
    return hidden_size * vectors * Pack<T>::width;
  }
};

/// Panel `panel` of weight_hh [G*H, H] -> [k][vector] at `to`, zeros past H.
template <class Group, class T>
void pack_panel(const T* weight_hh, std::int64_t hidden_size, std::int64_t panel, T* to) {
  constexpr std::int64_t width = Pack<T>::width;
  for (int j = 0; j < Group::vectors; ++j) {
    const std::int64_t gate = Group::first_gate + j % Group::gates;
    const std::int64_t unit = (panel * Group::unit_packs + j / Group::gates) * width;
    const std::int64_t units = least(width, hidden_size - unit);
    pack_columns(weight_hh + (gate * hidden_size + unit) * hidden_size, hidden_size, units,
                 hidden_size, to + j * width, Group::vectors * width);
  }
}

}  // namespace sluice::SLUICE_ISA
