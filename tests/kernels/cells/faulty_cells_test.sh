#!/usr/bin/env bash
# A cell that lacks something does not compile, and the compiler says what; a sound one, which is a
# header and a line in the list, goes through the time loops and the engine as it is, and so does the
# README's.
# Usage: faulty_cells_test.sh <compiler> <source directory> <directory to write to>
set -euo pipefail
compiler=$1 source=$2 planted=$3
rm -rf "$planted"
bash "$source/tests/kernels/cells/plant_readme_cell.sh" "$source" "$planted"

# The README's list with one more line; includes find it before the real one.
sed -i -e 's|^#include "kernels/cells/rnn.h"|&\n#include "kernels/cells/planted.h"|' \
  -e 's|^#define SLUICE_CELLS(CELL).*|&\n  CELL(planted, PlantedCell) \\|' \
  "$planted/kernels/cells/list.h"

compile() {
  (cd "$planted" && "$compiler" -std=c++20 -fsyntax-only -DSLUICE_ISA=isa_baseline -I"$planted" \
    -I"$source" "$@")
}

# A cell with a gate, a slot that holds no sum, a weight of each unit and c, in these parts.
spec='.name = "planted", .gates = 1, .slots = 2, .states = 2, .unit_weights = 1,
      .slot = {{{.recurrent = 0, .bias = SlotBias::both}, {}}},
      .unit_weight = {{{.slot = 0, .previous_state = 1}}}'
forward='u.slot[1] = u.slot[0] + u.weight[0] * u.previous[1]; restate(u);
         u.state[0] = hyperbolic_tangent(u.state[1]);'
restate='u.state[1] = u.slot[1];'
backward='u.slot[0] = u.d_state[1] + u.d_state[0] * tanh_slope(hyperbolic_tangent(u.slot[1]));
          u.d_state[1] = u.slot[0] * u.weight[0]; u.d_state[0] = T(0);'

# Usage: plant NAME_OF_TYPE FUNCTION...: the header with these of the functions.
plant() {
  {
    printf '#pragma once\n#include "kernels/base/activation.h"\n#include "kernels/cells/cell.h"\n'
    printf 'namespace sluice {\nstruct %s {\n  static constexpr CellSpec spec = {%s};\n' "$1" "$spec"
    for function in "${@:2}"; do
      printf '  template <class T>\n  SLUICE_HOST_DEVICE static void %s(Unit<%s, T>& u) { %s }\n' \
        "$function" "$1" "${!function}"
    done
    printf '};\n}\n'
  } > "$planted/kernels/cells/planted.h"
}

failed=0
# Usage: expect_refused WHAT MESSAGE: the list with the planted cell, alone.
expect_refused() {
  printf '#include "kernels/cells/list.h"\n' > "$planted/list.cpp"
  if compile list.cpp > "$planted/messages" 2>&1; then
    echo "$1 compiles"
    failed=1
  elif ! grep -qE "$2" "$planted/messages"; then
    echo "$1: expected a message with '$2', got"
    cat "$planted/messages"
    failed=1
  fi
}
requirement='cells/cell.h says what a cell must have'

plant PlantedCell forward restate backward
for user in kernels/time_loops/{cell_step_simd,row_blocks/recurrence_{forward,backward}_simd}.cpp \
  kernels/cells/combined_bias.cpp engine/pass/{recurrent_parameters,weight_gradients}.cpp \
  engine/loops/stepwise.cpp; do
  if ! compile "$source/$user"; then
    echo "a sound cell does not compile in $user"
    failed=1
  fi
done

plant PlantedCell forward restate
expect_refused "a cell without backward" "$requirement"
expect_refused "a cell without backward" 'C::backward\(u\)'
plant PlantedCell forward backward
expect_refused "a cell with c that does not restate it" "$requirement"
plant AnotherCell forward restate backward
expect_refused "a line of the list without a type" 'PlantedCell'
spec=${spec/.recurrent = 0, /}
plant PlantedCell forward restate backward
expect_refused "a cell with a gate in no slot" "$requirement"
expect_refused "a cell with a gate in no slot" 'is_sound'
exit $failed
