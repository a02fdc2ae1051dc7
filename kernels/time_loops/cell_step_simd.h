// What kernels/time_loops/cell_step_cpu.cpp calls in each instruction set's namespace: for 16-bit
// types always the baseline's.
#pragma once

#include "kernels/time_loops/cell_step.h"

#define SLUICE_DECLARE_CELL_STEP(isa)                                                 \
  namespace isa {                                                                     \
  /* Rows [first, first + count) of the step. */                                      \
  void cell_rows_forward(const CellStepForwardArgs&, CellPhase, std::int64_t first,   \
                         std::int64_t count);                                         \
  void cell_rows_backward(const CellStepBackwardArgs&, CellPhase, std::int64_t first, \
                          std::int64_t count);                                        \
  }

namespace sluice {
SLUICE_DECLARE_CELL_STEP(isa_baseline)
SLUICE_DECLARE_CELL_STEP(isa_avx2)
SLUICE_DECLARE_CELL_STEP(isa_avx512)
}  // namespace sluice
