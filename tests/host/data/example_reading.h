// Reading examples from files that a test writes.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/data/examples.h"
#include "kernels/base/error.h"
#include "tests/host/data/temporary_folder.h"

namespace sluice {

class ReadExamples : public ::testing::Test {
 protected:
  ExampleSet read(const std::string& name, const std::string& content,
                  const ReadOptions& options = {}) const {
    return read_examples(folder_.write(name, content), options);
  }

  /// The message of the usage error that reading throws, without the folder's path.
  std::string refusal(const std::string& name, const std::string& content,
                      const ReadOptions& options = {}) const {
    return refusal_at(folder_.write(name, content), options);
  }

  std::string refusal_at(const std::string& path, const ReadOptions& options = {}) const {
    try {
      read_examples(path, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::usage);
      std::string message = error.what();
      const std::string root = folder_.path("");
      for (auto at = message.find(root); at != std::string::npos; at = message.find(root)) {
        message.erase(at, root.size());
      }
      return message;
    }
    return "accepted";
  }

  /// The reasons for the rows left out, with their lines: "3: the text is empty".
  static std::vector<std::string> reasons(const ExampleSet& set) {
    std::vector<std::string> reasons;
    for (const std::string& report : set.bad_reports) {
      reasons.push_back(report.substr(set.files.at(0).size() + 1));
    }
    return reasons;
  }

  TemporaryFolder folder_;
};

inline testing::AssertionResult has(const std::string& message, const std::string& begin,
                                    const std::string& part) {
  if (message.starts_with(begin) && message.find(part) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << "expected '" << begin << "...' with '" << part << "', got: " << message;
}

}  // namespace sluice
