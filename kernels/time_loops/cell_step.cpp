#include "kernels/time_loops/cell_step.h"

#include <string>

#include "kernels/base/dispatch.h"
#include "kernels/cells/unit_draw_checks.h"

namespace sluice {
namespace {

/// Checks of one call. A message is only built when one fails.
struct Check {
  const char* function;
  Cell cell;

  void that(bool condition, const char* expectation) const {
    if (condition) return;
    throw Error::usage(std::string(function) + ": expected " + expectation +
                       "; see kernels/time_loops/cell_step.h");
  }
  /// What the cell needs for a reason that its CellSpec gives.
  void needs(bool condition, const char* argument, const char* reason) const {
    if (condition) return;
    throw Error::usage(std::string(function) + ": " + argument + ": expected for " + name_of(cell) +
                       ", which " + reason + ", got null or a stride below hidden_size" +
                       "; see kernels/time_loops/cell_step.h");
  }
};

/// What both directions take.
template <class Args>
Check checked(const char* function, const Args& args, CellPhase phase) {
  const Check check{function, args.cell};
  const bool two = spec_of(args.cell).two_phases();
  if (two != (phase != CellPhase::whole)) {
    throw Error::usage(std::string(function) + ": " + name_of(args.cell) +
                       (two ? " runs in two phases, operand and output; phase whole came"
                            : " runs as one phase, whole; another came"));
  }
  check.that(args.hidden_size >= 1, "hidden_size >= 1");
  check.that(args.rows >= 0 && args.rows <= args.batch, "0 <= rows <= batch");
  check_draws(function, args.draws);
  return check;
}

constexpr const char* kHasCellState = "has a cell state";
constexpr const char* kReadsPreviousH = "reads h of the step before";

template <class Args>
void require_unit_weights(const Check& check, const Args& args) {
  check.needs(spec_of(args.cell).unit_weights == 0 || args.unit_weights != nullptr, "unit_weights",
              "has weights of each unit");
}

}  // namespace

void cell_step_forward(const Queue& queue, const CellStepForwardArgs& args, CellPhase phase) {
  const Check check = checked("cell_step_forward", args, phase);
  if (args.rows == 0) return;
  const CellSpec& spec = spec_of(args.cell);
  check.that(args.gates != nullptr, "gates");
  check.that(args.h_state != nullptr, "h_state");
  check.needs(!spec.has_cell_state() || args.c_state != nullptr, "c_state", kHasCellState);
  require_unit_weights(check, args);
  check.that(args.h == nullptr || args.ldh >= args.hidden_size, "ldh >= hidden_size");
  check.that(phase == CellPhase::operand || !spec.recurrent_matrix || args.mask == nullptr ||
                 args.h_operand != nullptr,
             "h_operand with a mask");
  check.that(args.mask != nullptr || args.h_operand == nullptr || is_16_bit(args.type),
             "h_operand without a mask for a 16-bit type only");
  SLUICE_DISPATCH(cell_step_forward, queue, args, phase);
}

void cell_step_backward(const Queue& queue, const CellStepBackwardArgs& args, CellPhase phase) {
  const Check check = checked("cell_step_backward", args, phase);
  if (args.rows == 0) return;
  const CellSpec& spec = spec_of(args.cell);
  check.that(args.gates != nullptr, "gates");
  check.that(args.dh_state != nullptr, "dh_state");
  check.that(args.dy == nullptr || args.lddy >= args.hidden_size, "lddy >= hidden_size");
  check.that(args.previous_rows >= 0, "previous_rows >= 0");
  require_unit_weights(check, args);
  const bool some_go_on = args.previous_rows > 0, some_begin = args.previous_rows < args.rows;
  if (spec.has_cell_state()) {
    check.needs(args.c != nullptr, "c", kHasCellState);
    check.needs(args.dc_state != nullptr, "dc_state", kHasCellState);
    check.needs(!some_go_on || args.c_previous != nullptr, "c_previous", kHasCellState);
    check.needs(!some_begin || args.c_initial != nullptr, "c_initial", kHasCellState);
  }
  if (spec.reads_previous_h) {
    check.needs(!some_go_on || (args.h_previous != nullptr && args.ldh >= args.hidden_size),
                "h_previous with ldh >= hidden_size", kReadsPreviousH);
    check.needs(!some_begin || args.h_initial != nullptr, "h_initial", kReadsPreviousH);
  }
  check.that(phase != CellPhase::operand || args.dq != nullptr, "dq in phase operand");
  SLUICE_DISPATCH(cell_step_backward, queue, args, phase);
}

}  // namespace sluice
