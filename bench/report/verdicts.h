// What the suites that compare Sluice with itself come to, a line each.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::bench {

/// features: geometric mean and worst of the costs against the plain layer, and the aim. scaling:
/// how far the cost of a step or row is from constant. memory: bytes for each further step, and how
/// much that varies. `summaries`: as Report gives them. Empty where there is nothing to say.
std::string verdicts(const std::vector<nlohmann::ordered_json>& summaries);

}  // namespace sluice::bench
