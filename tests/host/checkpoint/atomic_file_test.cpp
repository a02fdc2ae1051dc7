#include "host/checkpoint/atomic_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "kernels/base/error.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

class AtomicFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("sluice-atomic-" + std::to_string(::getpid()));
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int files() const { return static_cast<int>(std::distance(fs::directory_iterator(folder_), {})); }

  fs::path folder_;
};

TEST_F(AtomicFile, ReplacesTheWholeFile) {
  const fs::path path = folder_ / "a";
  replace_file(path, {"a long first content"});
  replace_file(path, {"sec", "", "ond"});
  EXPECT_EQ(read(path), "second");
  EXPECT_EQ(files(), 1) << "a temporary file was left";
}

TEST_F(AtomicFile, GivesTheModeThatANewFileWouldHave) {
  const mode_t before = ::umask(022);
  replace_file(folder_ / "a", {"x"});
  ::umask(before);
  EXPECT_EQ(fs::status(folder_ / "a").permissions(), fs::perms(0644));
}

TEST_F(AtomicFile, AFullDiskLeavesTheOldFile) {
  const fs::path path = folder_ / "a";
  replace_file(path, {"what was saved"});
  // A limit on the size of files stands in for the full disk: the write fails half way.
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {1000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    replace_file(path, {std::string(100'000, 'x')});
  } catch (const Error& error) {
    message = error.what();
    EXPECT_EQ(error.kind(), Error::Kind::runtime);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_NE(message.find(path.string()), std::string::npos) << message;
  EXPECT_EQ(read(path), "what was saved");
  EXPECT_EQ(files(), 1) << "a temporary file was left";
}

TEST_F(AtomicFile, AMissingFolderIsARuntimeError) {
  EXPECT_THROW(replace_file(folder_ / "none" / "a", {"x"}), Error);
}

}  // namespace
}  // namespace sluice
