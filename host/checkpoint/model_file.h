// A trained model as a file: weights and everything needed to use them, but the vocabulary's words.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/checkpoint/safetensors.h"
#include "host/network/parameters.h"
#include "host/tasks/model_description.h"

namespace sluice {

/// Entries of __metadata__, and back. A file that says no task is of the default one: the first
/// versions knew no other. Errors: runtime when an entry is missing or wrong.
std::map<std::string, std::string> to_metadata(const ModelDescription& description);
ModelDescription description_from_metadata(const SafetensorsFile& file);

struct LoadedModel {
  ModelDescription description;
  std::vector<float> parameters;  ///< the flat buffer, see ParameterLayout
};

/// The tensors of `layout` in the flat buffer `values`, each named `prefix` + its own name.
std::vector<TensorToWrite> tensors_to_write(const ParameterLayout& layout,
                                            const std::vector<float>& values,
                                            const std::string& prefix = "");
/// Back from a file. Errors: runtime when a tensor is missing or has another type or shape.
std::vector<float> read_tensors(const SafetensorsFile& file, const ParameterLayout& layout,
                                const std::string& prefix = "");

/// One tensor for each of the model's, float32, under PyTorch's names. Errors: runtime.
void save_model(const std::filesystem::path& path, const ModelDescription& description,
                const std::vector<float>& parameters);

/// Errors: usage when the file is missing; runtime when it is truncated, edited or something else.
LoadedModel load_model(const std::filesystem::path& path);

}  // namespace sluice
