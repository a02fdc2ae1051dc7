// The folder a training leaves behind.
#pragma once

#include <filesystem>
#include <string>

#include "host/checkpoint/model_file.h"
#include "host/text/vocabulary.h"

namespace sluice {

/// RUN/model.safetensors       best weights so far, with the model's description
/// RUN/vocabulary.tsv          the vocabulary
/// RUN/checkpoint.safetensors  what a resume needs
/// RUN/config.json             the options the training was started with
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path model() const { return path_ / "model.safetensors"; }
  std::filesystem::path vocabulary() const { return path_ / "vocabulary.tsv"; }
  std::filesystem::path checkpoint() const { return path_ / "checkpoint.safetensors"; }
  std::filesystem::path config() const { return path_ / "config.json"; }

  /// Any of the four files is there.
  bool holds_run() const;

  /// Errors: usage when the folder holds a run already or is not a folder; runtime when it could
  /// not be made or written to. Changes nothing.
  void check_free() const;

  /// Makes the folder, parents too. Errors: runtime.
  void create() const;

  /// Errors: usage when there is no such folder, or no run with a model in it.
  void check_trained() const;

  /// The run's vocabulary. Errors: as load_vocabulary(path), and runtime when it is not the one
  /// that the weights were trained with.
  Vocabulary load_vocabulary(const ModelDescription& description) const;

 private:
  std::filesystem::path path_;
};

}  // namespace sluice
