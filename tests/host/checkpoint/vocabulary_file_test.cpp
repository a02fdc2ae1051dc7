#include "host/checkpoint/vocabulary_file.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"
#include "tests/host/data/temporary_folder.h"

namespace sluice {
namespace {

TEST(VocabularyFile, SurvivesSavingAndLoading) {
  const TemporaryFolder folder;
  TokenCounts counts;
  counts.add("film", 3), counts.add("caf\xC3\xA9", 2), counts.add("good");
  const Vocabulary saved(counts, {});
  save_vocabulary(folder.path("words.tsv"), saved);
  const Vocabulary loaded = load_vocabulary(folder.path("words.tsv"));
  EXPECT_EQ(loaded.to_text(), saved.to_text());
  EXPECT_EQ(loaded.id("good"), 4);
}

TEST(VocabularyFile, NamesAFileItCannotReadOrWrite) {
  const TemporaryFolder folder;
  const std::string missing = folder.path("none/words.tsv");
  try {
    load_vocabulary(missing);
    FAIL() << "loaded a missing file";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find(missing), std::string::npos) << error.what();
  }
  try {
    save_vocabulary(missing, Vocabulary());
    FAIL() << "saved into a missing folder";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::runtime);
  }
}

}  // namespace
}  // namespace sluice
