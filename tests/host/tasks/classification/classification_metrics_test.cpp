#include "host/tasks/classification/classification_metrics.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

Batch labelled(std::vector<std::int32_t> labels) {
  Batch batch;
  batch.labels = std::move(labels);
  return batch;
}

TEST(ClassificationMetrics, OfTwoClassesTheF1IsClassOnes) {
  ClassificationMetrics metrics(LabelSet({"bad", "good"}));
  metrics.add(labelled({1, 0, 1, 0}), {0.9f, 0.8f, 0.2f, 0.1f});
  metrics.add(labelled({1}), {0.7f});
  EXPECT_EQ(metrics.confusion().counts(), (std::vector<std::vector<std::int64_t>>{{1, 1}, {1, 2}}));
  EXPECT_DOUBLE_EQ(metrics.accuracy(), 0.6);
  EXPECT_DOUBLE_EQ(metrics.f1(), 4.0 / 6.0);
}

TEST(ClassificationMetrics, OfMoreItIsTheMean) {
  ClassificationMetrics metrics(LabelSet({"a", "b", "c"}));
  metrics.add(labelled({0, 1, 1}), {0.5f, 0.3f, 0.2f, 0.6f, 0.3f, 0.1f, 0.1f, 0.8f, 0.1f});
  EXPECT_DOUBLE_EQ(metrics.f1(), 4.0 / 9.0);
}

TEST(ClassificationMetrics, ReportsForPeopleAndPrograms) {
  ClassificationMetrics metrics(LabelSet({"bad", "good"}));
  metrics.add(labelled({1, 0}), {0.9f, 0.8f});
  const Evaluation result = {
      .loss = 0.25, .accuracy = 0.5, .examples = 2, .targets = 2, .seconds = 1.5};
  EXPECT_EQ(metrics.lines(result),
            (std::vector<std::string>{"examples 2  accuracy 0.5000  loss 0.2500  f1 0.6667  1.50 s",
                                      "true \\ predicted\tbad\tgood", "bad\t0\t1", "good\t0\t1"}));
  EXPECT_EQ(metrics.json(result).dump(),
            "{\"examples\":2,\"accuracy\":0.5,\"loss\":0.25,\"f1\":0.6666666666666666,"
            "\"seconds\":1.5,\"confusion\":[[0,1],[0,1]]}");
}

}  // namespace
}  // namespace sluice
