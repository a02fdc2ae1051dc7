#include "host/tasks/tagging/tagging_metrics.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

// True a, a, b, none, c; predicted a, b, b, a, a.
TaggingMetrics counted() {
  TaggingMetrics metrics(LabelSet({"a", "b", "c"}));
  Batch batch;
  batch.step_labels = {0, 0, 1, no_label, 2};
  metrics.add(batch, {0.8f, 0.1f, 0.1f,  //
                      0.2f, 0.7f, 0.1f,  //
                      0.1f, 0.6f, 0.3f,  //
                      0.9f, 0.1f, 0.0f,  //
                      0.5f, 0.3f, 0.2f});
  return metrics;
}

TEST(TaggingMetrics, CountStepsThatHaveALabel) {
  const TaggingMetrics metrics = counted();
  EXPECT_EQ(metrics.confusion().counts(),
            (std::vector<std::vector<std::int64_t>>{{1, 1, 0}, {0, 1, 0}, {1, 0, 0}}));
  EXPECT_DOUBLE_EQ(metrics.accuracy(), 0.5);
}

TEST(TaggingMetrics, ReportEachClassForPeopleAndPrograms) {
  const Evaluation result = {
      .loss = 0.25, .accuracy = 0.5, .examples = 2, .targets = 4, .seconds = 1.5};
  EXPECT_EQ(counted().lines(result),
            (std::vector<std::string>{
                "examples 2  steps 4  accuracy 0.5000  loss 0.2500  macro f1 0.3889  1.50 s",
                "label\tprecision\trecall\tf1\tsupport", "a\t0.5000\t0.5000\t0.5000\t2",
                "b\t0.5000\t1.0000\t0.6667\t1", "c\t0.0000\t0.0000\t0.0000\t1"}));
  const Json json = counted().json(result);
  EXPECT_EQ(json.at("steps").get<int>(), 4);
  EXPECT_DOUBLE_EQ(json.at("macro_f1").get<double>(), (0.5 + 2.0 / 3.0) / 3.0);
  EXPECT_EQ(json.at("classes").at("b").dump(),
            "{\"precision\":0.5,\"recall\":1.0,\"f1\":0.6666666666666666,\"support\":1}");
  EXPECT_EQ(json.at("confusion").dump(), "[[1,1,0],[0,1,0],[1,0,0]]");
}

}  // namespace
}  // namespace sluice
