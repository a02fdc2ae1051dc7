// One's own problem, as text on the command line.
#pragma once

#include <string>
#include <vector>

#include "bench/suites/suites.h"

namespace sluice::bench {

inline constexpr const char* kShapeSuite = "shape";

/// "lstm,T100,B32,I256,H256": a cell's name, then in any order T steps, B rows and H units, which
/// it must have, I inputs (H where it is not given), L layers, D directions, and "inference" (else
/// "training": both passes). Numbers are of the type that `options` name.
/// Errors: usage, naming the wrong part and what was expected.
LayerProblem parse_shape(const std::string& text, const Options& options);

/// Of options.shapes, each once: shape/<problem>, and shape/inference/<problem> of forward passes.
std::vector<Case> shape_cases(const Options& options);

}  // namespace sluice::bench
