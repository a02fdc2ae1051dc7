// Where the files that tests read are.
#pragma once

#include <cstdlib>
#include <string>

namespace sluice::test {

/// The sources that the test was built from, or where the environment variable SLUICE_SOURCE_DIR
/// says: a test that was built elsewhere needs it.
inline std::string source_folder() {
  const char* const elsewhere = std::getenv("SLUICE_SOURCE_DIR");
  return elsewhere != nullptr ? elsewhere : SLUICE_SOURCE_DIR;
}

}  // namespace sluice::test
