#include "kernels/time_loops/unit_weight_gradients.h"

#include <string>

#include "kernels/arrays/column_sum_chunks.h"
#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {
namespace {

constexpr const char* kName = "unit_weight_gradients";

bool reads_previous(const CellSpec& spec, int state) {
  for (int w = 0; w < spec.unit_weights; ++w) {
    if (spec.unit_weight[w].previous_state == state) return true;
  }
  return false;
}

void check(const UnitWeightGradientsArgs& args) {
  const CellSpec& spec = spec_of(args.cell);
  if (spec.unit_weights == 0) {
    throw Error::usage(std::string(kName) + ": cell: expected one with weights of each unit, got " +
                       spec.name + "; see CellSpec::unit_weights");
  }
  check_least(kName, "hidden_size", args.hidden_size, 1);
  check_least(kName, "first_row", args.first_row);
  check_least(kName, "rows", args.rows);
  check_least(kName, "sequences.rows", args.sequences.rows, args.first_row + args.rows);
  check_pointer(kName, "out", args.out);
  if (args.rows == 0) return;
  check_pointer(kName, "gates", args.gates);
  if (reads_previous(spec, 0)) {
    check_pointer(kName, "h", args.h);
    check_least(kName, "ldh", args.ldh, args.hidden_size);
    check_pointer(kName, "h_initial", args.h_initial);
  }
  if (reads_previous(spec, 1)) {
    check_pointer(kName, "c", args.c);
    check_pointer(kName, "c_initial", args.c_initial);
  }
}

}  // namespace

void unit_weight_gradients(const Queue& queue, const UnitWeightGradientsArgs& args) {
  check(args);
  check_workspace(
      kName, args.workspace, args.workspace_bytes,
      unit_weight_gradients_workspace_bytes(args.cell, args.type, args.rows, args.hidden_size));
  SLUICE_DISPATCH(unit_weight_gradients, queue, args);
}

std::size_t unit_weight_gradients_workspace_bytes(Cell cell, DataType type, std::int64_t rows,
                                                  std::int64_t hidden_size) {
  check_least(kName, "rows", rows);
  check_least(kName, "hidden_size", hidden_size);
  return column_sum_chunk_count(rows) * spec_of(cell).unit_weights * hidden_size *
         size_of(state_type(type));
}

}  // namespace sluice
