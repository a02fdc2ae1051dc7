#include "host/tasks/tagging/tagger.h"

#include <gtest/gtest.h>

#include "host/device.h"
#include "host/network/initialization.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

TrainedModel model_of(const Device& device, const char* task, Padding padding,
                      std::int32_t frame_width = 0) {
  ModelDescription description;
  description.task = &task_from_name(task);
  description.labels = {"a", "b", "c"};
  description.model.classes = 3;
  description.model.embedding_size = description.model.hidden_size = 6;
  description.model.frame_width = frame_width;
  description.encode.max_length = 4;
  description.encode.padding = padding;
  TokenCounts counts;
  for (const char* word : {"one", "two", "three", "four"}) counts.add(word);
  Vocabulary vocabulary(counts, {});
  description.model.vocabulary_size = vocabulary.size();
  Model model(device.queue(), *description.task, description.model);
  model.set_parameters(
      initial_parameters(description.model, model.layout(), Initialization::pytorch, 5));
  return {description, LabelSet(description.labels), std::move(vocabulary), std::move(model)};
}

ExampleSet sentences(const std::vector<std::vector<std::string>>& tokens) {
  ExampleSet set;
  set.input = InputKind::tokens;
  set.targets = TargetKind::none;
  for (const auto& sentence : tokens) {
    set.examples.emplace_back();
    set.examples.back().tokens = sentence;
  }
  return set;
}

TEST(Tagger, AnswersEveryStepWhateverThePaddingAndTheLength) {
  const Device device = Device::open("cpu", 1);
  const ExampleSet set =
      sentences({{"one"}, {"two", "one", "four"}, {"One", "two", "three", "four", "one", "x"}});
  for (const Padding padding : {Padding::none, Padding::pre, Padding::post}) {
    TrainedModel trained = model_of(device, "tagging", padding);
    const std::vector<StepPredictions> all = tag(trained, set);
    ASSERT_EQ(all.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      ASSERT_EQ(all[i].labels.size(), set.examples[i].tokens.size());
      // Products of other numbers of rows may add up in another order.
      const auto alone = tag(trained, sentences({set.examples[i].tokens}))[0].probabilities;
      ASSERT_EQ(alone.size(), all[i].probabilities.size());
      for (std::size_t p = 0; p < alone.size(); ++p) {
        EXPECT_NEAR(alone[p], all[i].probabilities[p], 1e-6)
            << "sentence " << i << ", number " << p;
      }
    }
    // Of a network that reads forwards, padding before a sentence changes its steps alone.
    Dataset padded;
    for (int i = 0; padding == Padding::pre && i < 3; ++i) padded.tokens.push_back(0);
    padded.tokens.push_back(trained.vocabulary.id("one"));
    padded.offsets.push_back(static_cast<std::int64_t>(padded.tokens.size()));
    trained.model.forward_pass(make_batch(padded, all_rows(padded)), nullptr);
    const std::vector<float> last = trained.model.download_outputs();
    EXPECT_NEAR(all[0].probabilities[0], *std::max_element(last.end() - 3, last.end()), 1e-6f);
  }
}

TEST(Tagger, RefusesOtherTasksAndInputs) {
  const Device device = Device::open("cpu", 1);
  TrainedModel classifier = model_of(device, "classification", Padding::none);
  EXPECT_THROW(tag(classifier, sentences({{"one"}})), Error);
  TrainedModel trained = model_of(device, "tagging", Padding::none);
  ExampleSet texts;
  texts.examples.emplace_back();
  EXPECT_THROW(tag(trained, texts), Error);
  TrainedModel of_frames = model_of(device, "tagging", Padding::none, 3);
  EXPECT_THROW(tag(of_frames, sentences({{"one"}})), Error);
  EXPECT_TRUE(tag(trained, sentences({})).empty());
}

}  // namespace
}  // namespace sluice
