#include <algorithm>
#include <filesystem>
#include <vector>

#include "host/data/example_readers.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return entries;
}

bool is_text_file(const fs::path& path) {
  const std::string& name = path.native();
  return (name.ends_with(".txt") || name.ends_with(".txt.gz")) && fs::is_regular_file(path);
}

std::string whole_file(const std::string& path, std::size_t max_bytes) {
  ByteSource source(path);
  std::string text;
  for (std::string_view part = source.read(); !part.empty(); part = source.read()) {
    if (text.size() + part.size() > max_bytes) {
      throw Error::usage(path + ": the text is longer than " + std::to_string(max_bytes) +
                         " bytes; split it or raise the limit");
    }
    text.append(part);
  }
  return text;
}

}  // namespace

void read_text_folder(const std::string& path, ExampleSink& sink) {
  const ReadOptions& options = sink.options();
  try {
    fs::path root(path);
    if (fs::is_directory(root / options.split)) root /= options.split;
    std::int64_t labels = 0;
    for (const fs::path& folder : sorted_entries(root)) {
      const std::string label = folder.filename().native();
      if (!fs::is_directory(folder) || label == "unsup" || label.starts_with('.')) continue;
      ++labels;
      for (const fs::path& file : sorted_entries(folder)) {
        if (!is_text_file(file)) continue;
        sink.begin_file(file.native());
        sink.accept(1, whole_file(file.native(), options.max_record_bytes), label);
      }
    }
    require(labels > 0,
            root.native() + ": expected a folder for each label, as in aclImdb/train/{pos,neg}");
  } catch (const fs::filesystem_error& error) {
    throw Error::usage(path + ": cannot read the folder: " + error.code().message());
  }
}

}  // namespace sluice
