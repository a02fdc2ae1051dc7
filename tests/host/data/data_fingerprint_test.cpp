#include "host/data/data_fingerprint.h"

#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

Dataset some_dataset() {
  Dataset dataset;
  dataset.tokens = {2, 3, 4, 5};
  dataset.offsets = {0, 1, 4};
  return dataset;
}

TEST(DataFingerprint, SeesTokensLabelsAndTheRowsOrder) {
  Dataset dataset = some_dataset();
  dataset.labels = {1, 0};
  // Runs that 1f30956 wrote hold it.
  EXPECT_EQ(data_fingerprint(dataset, {0, 1}), "3b210992c246b834");
  EXPECT_NE(data_fingerprint(dataset, {1, 0}), data_fingerprint(dataset, {0, 1}));
  EXPECT_NE(data_fingerprint(dataset, {0}), data_fingerprint(dataset, {0, 1}));
  Dataset other = dataset;
  other.labels = {1, 1};
  EXPECT_NE(data_fingerprint(other, {0, 1}), data_fingerprint(dataset, {0, 1}));
  other = dataset;
  other.tokens[3] = 6;
  EXPECT_NE(data_fingerprint(other, {0, 1}), data_fingerprint(dataset, {0, 1}));
  EXPECT_EQ(data_fingerprint(other, {0}), data_fingerprint(dataset, {0}));
}

TEST(DataFingerprint, SeesFramesAndTheLabelsOfSteps) {
  Dataset dataset = some_dataset();
  dataset.tokens.clear();
  dataset.width = 2;
  dataset.frames = {1, 2, 3, 4, 5, 6, 7, 8};
  dataset.step_labels = {0, 1, 2, no_label};
  const std::vector<std::int32_t> rows = {0, 1};
  for (std::size_t i = 0; i < 4; ++i) {
    Dataset other = dataset;
    ++other.step_labels[i];
    EXPECT_NE(data_fingerprint(other, rows), data_fingerprint(dataset, rows));
    other = dataset;
    other.frames[2 * i + 1] += 1e-6f;
    EXPECT_NE(data_fingerprint(other, rows), data_fingerprint(dataset, rows));
  }
  EXPECT_EQ(data_fingerprint(dataset, rows), data_fingerprint(dataset, rows));
}

}  // namespace
}  // namespace sluice
