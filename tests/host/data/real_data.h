// Where real data sets lie: in $SLUICE_DATA, or in shared/data beside the source tree.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sluice {

/// The path of a data set's file, such as "imdb/train.csv.gz"; empty when it is not there.
inline std::string real_data_file(const std::string& name) {
  const char* variable = std::getenv("SLUICE_DATA");
  const std::filesystem::path root =
      variable != nullptr ? std::filesystem::path(variable)
                          : std::filesystem::path(SLUICE_SOURCE_DIR) / ".." / "shared" / "data";
  return std::filesystem::exists(root / name) ? (root / name).string() : "";
}

/// Why a test skips.
inline std::string real_data_advice(const std::string& name) {
  return name + " is not there; set SLUICE_DATA to the folder that holds it";
}

}  // namespace sluice
