#include "host/checkpoint/vocabulary_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "host/checkpoint/atomic_file.h"
#include "kernels/base/error.h"

namespace sluice {

void save_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary) {
  const std::string text = vocabulary.to_text();
  replace_file(path, {text});
}

Vocabulary load_vocabulary(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) {
    throw Error::usage(path.string() + ": cannot read the vocabulary: " + std::strerror(errno));
  }
  return Vocabulary::from_text(text, path.string());
}

}  // namespace sluice
