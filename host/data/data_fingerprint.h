// Whether a run goes on with the data it began with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/data/dataset.h"

namespace sluice {

/// Of those rows' tokens or frames and labels, in their order: 16 hexadecimal digits.
std::string data_fingerprint(const Dataset& dataset, const std::vector<std::int32_t>& rows);

}  // namespace sluice
