#include "kernels/time_loops/cell_step.h"

#include <algorithm>

#include "kernels/device/instruction_set.h"
#include "kernels/device/parallel_for.h"
#include "kernels/time_loops/cell_step_simd.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kRowsPerTask = 8;

template <class Body>
void for_each_task(const Queue& queue, std::int64_t rows, Body&& body) {
  parallel_for(queue, (rows + kRowsPerTask - 1) / kRowsPerTask, [&](std::int64_t task) {
    body(task * kRowsPerTask, std::min(kRowsPerTask, rows - task * kRowsPerTask));
  });
}

}  // namespace

void cell_step_forward(const Queue& queue, const CellStepForwardArgs& args, CellPhase phase) {
  for_each_task(queue, args.rows, [&](std::int64_t first, std::int64_t count) {
    if (is_16_bit(args.type)) {
      return isa_baseline::cell_rows_forward(args, phase, first, count);
    }
    SLUICE_DISPATCH_ISA(cell_rows_forward, args, phase, first, count);
  });
}

void cell_step_backward(const Queue& queue, const CellStepBackwardArgs& args, CellPhase phase) {
  for_each_task(queue, args.rows, [&](std::int64_t first, std::int64_t count) {
    if (is_16_bit(args.type)) {
      return isa_baseline::cell_rows_backward(args, phase, first, count);
    }
    SLUICE_DISPATCH_ISA(cell_rows_backward, args, phase, first, count);
  });
}

}  // namespace sluice::cpu
