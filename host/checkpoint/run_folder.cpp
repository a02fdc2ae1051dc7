#include "host/checkpoint/run_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "host/checkpoint/vocabulary_file.h"
#include "kernels/base/error.h"

namespace sluice {

namespace fs = std::filesystem;

bool RunFolder::holds_run() const {
  std::error_code ignored;
  for (const fs::path& file : {model(), vocabulary(), checkpoint(), config()}) {
    if (fs::exists(file, ignored)) return true;
  }
  return false;
}

void RunFolder::check_free() const {
  std::error_code failed;
  fs::path nearest = fs::absolute(path_, failed);
  require(!path_.empty() && !failed, "the run folder needs a name");
  require(!holds_run(), path_.string() +
                            " already holds a run, which would be overwritten; choose another "
                            "--out, or go on with it by --resume");
  while (!fs::exists(nearest, failed) && nearest.has_relative_path()) {
    nearest = nearest.parent_path();
  }
  require(fs::is_directory(nearest, failed), "cannot make the run folder " + path_.string() + ": " +
                                                 nearest.string() + " is not a folder");
  if (::access(nearest.c_str(), W_OK | X_OK) != 0) {
    throw Error::runtime("cannot write to the run folder " + path_.string() + ": " +
                         nearest.string() + ": " + std::strerror(errno));
  }
}

void RunFolder::create() const {
  std::error_code failed;
  fs::create_directories(path_, failed);
  if (failed) {
    throw Error::runtime("cannot make the run folder " + path_.string() + ": " + failed.message());
  }
}

void RunFolder::check_trained() const {
  std::error_code failed;
  require(fs::is_directory(path_, failed), path_.string() + ": no such run folder");
  require(fs::exists(model(), failed),
          path_.string() + " holds no trained model: model.safetensors is missing");
}

Vocabulary RunFolder::load_vocabulary(const ModelDescription& description) const {
  Vocabulary words = sluice::load_vocabulary(vocabulary());
  if (words.fingerprint() != description.vocabulary_fingerprint ||
      words.size() != description.model.vocabulary_size) {
    throw Error::runtime(vocabulary().string() + " does not match the model: its fingerprint is " +
                         words.fingerprint() + " with " + std::to_string(words.size()) +
                         " ids, the model was trained with " + description.vocabulary_fingerprint +
                         " and " + std::to_string(description.model.vocabulary_size) +
                         "; put back the vocabulary of this run");
  }
  return words;
}

}  // namespace sluice
