#include "kernels/time_loops/cell_step.h"

#include <string>

#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

void require_field(bool condition, const char* function, const char* expectation) {
  require(condition, std::string(function) + ": expected " + expectation +
                         "; see kernels/time_loops/cell_step.h");
}

void require_phase(const char* function, Cell cell, CellPhase phase) {
  require((cell == Cell::gru_reset_before) == (phase != CellPhase::whole),
          std::string(function) + ": " + name_of(cell) +
              (cell == Cell::gru_reset_before
                   ? " runs in two phases, reset and output; phase whole came"
                   : " runs as one phase, whole; another came"));
}

/// Sizes that both directions share.
template <class Args>
void require_sizes(const char* function, const Args& args) {
  require_field(args.hidden_size >= 1, function, "hidden_size >= 1");
  require_field(args.rows >= 0 && args.rows <= args.batch, function, "0 <= rows <= batch");
}

bool is_gru(Cell cell) { return cell == Cell::gru || cell == Cell::gru_reset_before; }

}  // namespace

void cell_step_forward(const Queue& queue, const CellStepForwardArgs& args, CellPhase phase) {
  constexpr const char* name = "cell_step_forward";
  require_phase(name, args.cell, phase);
  require_sizes(name, args);
  if (args.rows == 0) return;
  require_field(args.gates != nullptr, name, "gates");
  require_field(args.h_state != nullptr, name, "h_state");
  require_field(!has_cell_state(args.cell) || args.c_state != nullptr, name, "c_state for an LSTM");
  require_field(args.h == nullptr || args.ldh >= args.hidden_size, name, "ldh >= hidden_size");
  require_field(phase == CellPhase::operand || args.mask == nullptr || args.h_operand != nullptr,
                name, "h_operand with a mask");
  require_field(args.mask != nullptr || args.h_operand == nullptr || is_16_bit(args.type), name,
                "h_operand without a mask for a 16-bit type only");
  SLUICE_DISPATCH(cell_step_forward, queue, args, phase);
}

void cell_step_backward(const Queue& queue, const CellStepBackwardArgs& args, CellPhase phase) {
  constexpr const char* name = "cell_step_backward";
  require_phase(name, args.cell, phase);
  require_sizes(name, args);
  if (args.rows == 0) return;
  require_field(args.gates != nullptr, name, "gates");
  require_field(args.dh_state != nullptr, name, "dh_state");
  require_field(args.dy == nullptr || args.lddy >= args.hidden_size, name, "lddy >= hidden_size");
  require_field(args.previous_rows >= 0, name, "previous_rows >= 0");
  const bool some_go_on = args.previous_rows > 0, some_begin = args.previous_rows < args.rows;
  if (has_cell_state(args.cell)) {
    require_field(args.c != nullptr && args.dc_state != nullptr, name,
                  "c and dc_state for an LSTM");
    require_field(!some_go_on || args.c_previous != nullptr, name, "c_previous for an LSTM");
    require_field(!some_begin || args.c_initial != nullptr, name, "c_initial for an LSTM");
  }
  if (is_gru(args.cell)) {
    require_field(!some_go_on || (args.h_previous != nullptr && args.ldh >= args.hidden_size), name,
                  "h_previous with ldh >= hidden_size for a GRU");
    require_field(!some_begin || args.h_initial != nullptr, name, "h_initial for a GRU");
  }
  require_field(phase != CellPhase::operand || args.dq != nullptr, name, "dq in phase operand");
  SLUICE_DISPATCH(cell_step_backward, queue, args, phase);
}

}  // namespace sluice
