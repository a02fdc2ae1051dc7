#include "host/checkpoint/trained_run.h"

#include <utility>

#include "host/checkpoint/model_file.h"
#include "host/checkpoint/run_folder.h"

namespace sluice {

TrainedModel load_trained(const Device& device, const std::filesystem::path& run) {
  const RunFolder folder(run);
  folder.check_trained();
  LoadedModel loaded = load_model(folder.model());
  ModelDescription& description = loaded.description;
  Vocabulary vocabulary = folder.load_vocabulary(description);
  Model model(device.queue(), *description.task, description.model);
  model.set_parameters(loaded.parameters);
  LabelSet labels(description.labels);
  return {std::move(description), std::move(labels), std::move(vocabulary), std::move(model)};
}

}  // namespace sluice
