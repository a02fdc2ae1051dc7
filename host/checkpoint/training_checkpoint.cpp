#include "host/checkpoint/training_checkpoint.h"

#include "host/json/json.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr const char* state_key = "training_state";
constexpr const char* optimizer_key = "optimizer_arrays";

}  // namespace

void save_training(const std::filesystem::path& path, const ModelDescription& description,
                   const TrainingSnapshot& snapshot) {
  const ParameterLayout layout = description.layout();
  std::vector<TensorToWrite> tensors = tensors_to_write(layout, snapshot.parameters);
  const auto append = [&](const std::vector<float>& values, const std::string& prefix) {
    const std::vector<TensorToWrite> more = tensors_to_write(layout, values, prefix);
    tensors.insert(tensors.end(), more.begin(), more.end());
  };
  std::vector<std::string> arrays;
  for (const auto& [name, values] : snapshot.optimizer) {
    append(values, "optimizer." + name + ".");
    arrays.push_back(name);
  }
  if (!snapshot.best_parameters.empty()) append(snapshot.best_parameters, "best.");
  std::map<std::string, std::string> metadata = to_metadata(description);
  metadata[state_key] = snapshot.state.to_json();
  metadata[optimizer_key] = Json(arrays).dump();
  write_safetensors(path, tensors, metadata);
}

LoadedTraining load_training(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  file.verify_checksum();
  LoadedTraining loaded;
  loaded.description = description_from_metadata(file);
  loaded.description.notes.erase(state_key);
  loaded.description.notes.erase(optimizer_key);
  const ParameterLayout layout = loaded.description.layout();
  TrainingSnapshot& snapshot = loaded.snapshot;
  snapshot.state = TrainingState::from_json(file.metadata(state_key), file.name());
  snapshot.parameters = read_tensors(file, layout);
  try {
    const auto arrays = Json::parse(file.metadata(optimizer_key)).get<std::vector<std::string>>();
    for (const std::string& array : arrays) {
      snapshot.optimizer.emplace_back(array,
                                      read_tensors(file, layout, "optimizer." + array + "."));
    }
  } catch (const JsonError& error) {
    throw Error::runtime(file.name() +
                         ": its list of optimiser arrays cannot be read: " + error.what());
  }
  if (snapshot.state.best_epoch > 0) {
    snapshot.best_parameters = read_tensors(file, layout, "best.");
  }
  return loaded;
}

}  // namespace sluice
