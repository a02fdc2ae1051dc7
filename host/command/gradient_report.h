// How much the loss feels each step's input: why some cells remember and others do not.
#pragma once

#include <vector>

#include "host/data/dataset.h"
#include "host/tasks/model.h"

namespace sluice {

/// Element d: the L2 norm of the gradient of a row's loss by its input d steps before the end of
/// the text, averaged over those of `rows` that are longer than d. Without dropout; runs as one
/// batch.
std::vector<double> gradient_norms_from_end(const Model& model, const Dataset& dataset,
                                            const std::vector<std::int32_t>& rows);

}  // namespace sluice
