// Which cases a run measures.
#pragma once

#include <vector>

#include "bench/suites/suites.h"

namespace sluice::bench {

/// What `options` ask for, without opening it: a GPU for "cuda...", and for "auto" where there is
/// one.
DeviceKind wanted_kind(const Options& options);

/// Those of the suites that `options` name, which have a match of its filter; or those of its file
/// of names alone, in the file's order. Errors: usage for a filter that is no regular expression, a
/// file that cannot be read, a name that no case has, and where no case is left.
std::vector<Case> chosen_cases(const Options& options, DeviceKind device);

}  // namespace sluice::bench
