// A training as a file, to be resumed.
#pragma once

#include <filesystem>

#include "host/checkpoint/model_file.h"
#include "host/training/training_state.h"

namespace sluice {

/// Tensors: the current weights under their names, the best ones under "best." + name, the
/// optimiser's arrays under "optimizer." + array + "." + name. Errors: runtime.
void save_training(const std::filesystem::path& path, const ModelDescription& description,
                   const TrainingSnapshot& snapshot);

struct LoadedTraining {
  ModelDescription description;
  TrainingSnapshot snapshot;
};

/// Errors: usage when the file is missing; runtime when it is truncated, edited or something else.
LoadedTraining load_training(const std::filesystem::path& path);

}  // namespace sluice
