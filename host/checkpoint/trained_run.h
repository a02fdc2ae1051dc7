// A run folder's model, ready to be used.
#pragma once

#include <filesystem>

#include "host/device.h"
#include "host/tasks/prediction.h"

namespace sluice {

/// Loads it onto a device, which must outlive it.
/// Errors: usage when there is no such run; runtime when a file is damaged or the vocabulary is not
/// the model's.
TrainedModel load_trained(const Device& device, const std::filesystem::path& run);

}  // namespace sluice
