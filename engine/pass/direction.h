// One direction of one layer: the unit both passes are made of.
#pragma once

#include <cstdint>

#include "engine/recurrent.h"
#include "kernels/base/queue.h"
#include "kernels/cells/unit_options.h"

namespace sluice {

/// Its place in the stack and its slice of the flat parameters (or of their gradients).
struct Direction {
  const RecurrentConfig& config;
  int layer = 0;
  bool reverse = false;
  std::int64_t input_size = 0;  ///< G*H where it takes gates
  // Offsets, elements; 0 of what there is not.
  std::int64_t weight_ih = 0, weight_hh = 0, bias_ih = 0, bias_hh = 0, unit_weights = 0;

  Direction(const RecurrentConfig& config, const std::vector<ParameterView>& views, int layer,
            int direction);

  int index() const { return layer * config.directions() + (reverse ? 1 : 0); }
  bool takes_gates() const { return layer == 0 && config.gate_input; }  ///< has no weight_ih
  std::int64_t hidden() const { return config.hidden_size; }
  std::int64_t gates() const { return gate_count(config.cell) * config.hidden_size; }  ///< G*H
  std::int64_t slots() const { return slot_count(config.cell) * config.hidden_size; }  ///< S*H
};

/// Errors: usage unless `shared` is empty, or whole and without dropout on the input where a pass
/// drops.
void check_shared_input(const RecurrentConfig& config, const SharedInput& shared, bool drops);

/// to [B, H] = plane `index` of states [L*D, B, H] in sorted order; zeros if `states` is null. The
/// states are of data_type, `to` (and `from` below) of its state_type.
void load_state(const Queue& queue, const Sequences& sequences, const RecurrentConfig& config,
                const void* states, int index, void* to);
/// The way back; nothing if `states` is null.
void store_state(const Queue& queue, const Sequences& sequences, const RecurrentConfig& config,
                 const void* from, void* states, int index);

/// Fills `mask` [G, B, H] if what enters R is masked; returns it, or null without.
const void* draw_recurrent_mask(const Queue& queue, const Sequences& sequences,
                                const Direction& direction, const UnitDraws& draws, void* mask);

}  // namespace sluice
