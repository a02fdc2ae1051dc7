// One direction of one layer on its way through the chunks, in a part of the workspace: what
// forward and backward, its two ways, have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/choice/pass_schedule.h"
#include "engine/choice/step_chunks.h"
#include "engine/loops/element.h"
#include "engine/loops/time_loop.h"
#include "engine/pass/direction.h"
#include "engine/pass/pass_memory.h"
#include "engine/recurrent.h"

namespace sluice {

/// What the layers of a pass share. Args: RecurrentForwardArgs or RecurrentBackwardArgs.
template <class Args>
struct Pass {
  const RecurrentConfig& config;
  const Args& args;
  bool drops;
  const PassSchedule& schedule;
  const TimeLoop& loop;
  const std::vector<StepChunk>& chunks;
  const PassWorkspace& workspace;
  const PassReserve& reserve;
  const std::vector<ParameterView>& views;

  bool backward() const { return loop.request().pass == RecurrentPass::backward; }
  /// The `i`-th chunk on the way of a direction.
  const StepChunk& chunk(std::size_t i, bool reverse) const {
    return chunks[reverse != backward() ? chunks.size() - 1 - i : i];
  }
};

/// Loop: LoopForwardArgs or LoopBackwardArgs.
template <class Args, class Loop>
class DirectionPass {
 public:
  const Loop& loop() const { return loop_; }

 protected:
  DirectionPass(const Queue& queue, const Pass<Args>& pass, const Direction& direction, int part)
      : queue_(queue),
        pass_(pass),
        direction_(direction),
        workspace_(pass.workspace.parts[static_cast<std::size_t>(part)]),
        gates_(pass.reserve.of(direction.index(), part).gates) {
    const RecurrentConfig& config = pass.config;
    const Args& args = pass.args;
    load(args.h0, workspace_.h_state);
    if (has_cell_state(config.cell)) load(args.c0, workspace_.c_state);
    loop_.weight_hh = at(args.parameters, direction.weight_hh, config.data_type);
    loop_.memory = workspace_.loop;
    auto& recurrence = loop_.recurrence;
    recurrence.shape = pass.loop.request().shape();
    recurrence.sequences = args.sequences;
    recurrence.reverse = direction.reverse;
    recurrence.packed = workspace_.loop.packed;
    recurrence.scratch = workspace_.loop.scratch;
    recurrence.c = pass.reserve.of(direction.index(), part).c;
    recurrence.ldh = config.output_size();
    if (spec_of(config.cell).unit_weights > 0) {
      recurrence.unit_weights = at(args.parameters, direction.unit_weights, config.data_type);
    }
    recurrence.draws = unit_draws(config.unit_options(), config.hidden_size, direction.index(),
                                  pass.drops, args.seed, args.step);
    if (pass.loop.reads_mask()) recurrence.mask = drawn_mask();
    pass.loop.prepare(queue, loop_.weight_hh, loop_.memory);
  }

  /// The direction's `i`-th chunk is the next, with its gates in all gates of the direction or,
  /// where they are not kept, in place of those before it.
  void begin(std::size_t i, bool keeps_gates) {
    chunk_ = pass_.chunk(i, direction_.reverse);
    loop_.recurrence.begin = chunk_.begin;
    loop_.recurrence.end = chunk_.end;
    const std::int64_t row = keeps_gates ? chunk_.first_row : 0;
    loop_.recurrence.gates = at(gates_, row * direction_.slots(), pass_.config.data_type);
  }

  const void* drawn_mask() const {
    return draw_recurrent_mask(queue_, pass_.args.sequences, direction_, loop_.recurrence.draws,
                               workspace_.mask);
  }
  /// Where the direction's columns begin in rows of [D*H].
  template <class Pointer>
  Pointer columns(Pointer rows) const {
    return rows == nullptr
               ? rows
               : at(rows, direction_.reverse ? direction_.hidden() : 0, pass_.config.data_type);
  }
  void load(const void* states, void* to) const {
    load_state(queue_, pass_.args.sequences, pass_.config, states, direction_.index(), to);
  }
  void store(const void* from, void* states) const {
    store_state(queue_, pass_.args.sequences, pass_.config, from, states, direction_.index());
  }

  const Queue& queue_;
  const Pass<Args>& pass_;
  const Direction& direction_;
  const DirectionWorkspace& workspace_;
  void* const gates_;
  Loop loop_;
  StepChunk chunk_;
};

}  // namespace sluice
