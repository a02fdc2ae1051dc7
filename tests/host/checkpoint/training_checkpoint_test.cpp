#include "host/checkpoint/training_checkpoint.h"

#include <gtest/gtest.h>

#include "host/network/initialization.h"
#include "kernels/base/error.h"
#include "tests/host/data/temporary_folder.h"

namespace sluice {
namespace {

ModelDescription description() {
  ModelDescription description;
  description.model.vocabulary_size = 9;
  description.model.embedding_size = 4;
  description.model.hidden_size = 3;
  description.model.classes = 3;
  description.labels = {"-1", "good \"film\"", "\xE5\xA5\xBD"};
  description.vocabulary_fingerprint = "0123456789abcdef";
  description.tokenizer.fold_case = false;
  description.encode.max_length = 77;
  description.encode.truncation = Truncation::keep_first;
  description.encode.padding = Padding::post;
  description.notes["origin"] = "a test";
  return description;
}

std::vector<float> weights(std::uint64_t seed) {
  return initial_parameters(description().model, description().layout(), Initialization::pytorch,
                            seed);
}

TEST(ModelFile, KeepsWeightsAndDescription) {
  const TemporaryFolder folder;
  save_model(folder.path("m"), description(), weights(1));
  const LoadedModel loaded = load_model(folder.path("m"));
  EXPECT_EQ(loaded.parameters, weights(1));
  EXPECT_EQ(to_metadata(loaded.description), to_metadata(description()));
  EXPECT_EQ(loaded.description.labels, description().labels);
  EXPECT_EQ(loaded.description.encode.padding, Padding::post);
  EXPECT_FALSE(loaded.description.tokenizer.fold_case);
}

TEST(ModelFile, RefusesAFileThatIsNoModelOfOurs) {
  const TemporaryFolder folder;
  const float x = 1.0f;
  write_safetensors(folder.path("other"), {{"x", "F32", {1}, &x}}, {{"format", "pt"}});
  EXPECT_THROW(load_model(folder.path("other")), Error);
  ModelDescription wrong = description();
  wrong.labels.pop_back();
  save_model(folder.path("labels"), wrong, weights(1));
  EXPECT_THROW(load_model(folder.path("labels")), Error);
}

TEST(ModelFile, RefusesWeightsOfAnotherShape) {
  const TemporaryFolder folder;
  ModelDescription larger = description();
  larger.model.hidden_size = 4;
  const ParameterLayout layout = description().layout();
  write_safetensors(folder.path("m"), tensors_to_write(layout, weights(1)), to_metadata(larger));
  try {
    load_model(folder.path("m"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("rnn.weight_ih_l0"), std::string::npos)
        << error.what();
  }
}

TEST(TrainingCheckpoint, KeepsEverythingToTheBit) {
  const TemporaryFolder folder;
  TrainingSnapshot snapshot;
  snapshot.parameters = weights(1);
  snapshot.best_parameters = weights(2);
  snapshot.optimizer = {{"average", weights(3)}, {"square_average", weights(4)}};
  TrainingState& state = snapshot.state;
  state.epoch = 3;
  state.batch = 17;
  state.step = 4'000'000'000u;
  state.totals = {1.0 / 3.0, 12.0, 1e-300};
  state.plateaus = 2;
  state.epochs_since_improvement = 1;
  state.epochs_since_reduction = 1;
  state.best_epoch = 2;
  state.best_loss = 0.1;
  state.best_accuracy = 0.7;
  state.data_fingerprint = "00ff";
  state.loss_scale = {.scale = 0x1p-3f, .clean_steps = 1999, .skipped_steps = 4'000'000'001u};
  save_training(folder.path("c"), description(), snapshot);
  const LoadedTraining loaded = load_training(folder.path("c"));
  EXPECT_EQ(loaded.snapshot.state.to_json(), state.to_json());
  EXPECT_EQ(loaded.snapshot.state.totals, state.totals);
  EXPECT_EQ(loaded.snapshot.state.step, state.step);
  EXPECT_EQ(loaded.snapshot.state.loss_scale.scale, state.loss_scale.scale);
  EXPECT_EQ(loaded.snapshot.state.loss_scale.clean_steps, state.loss_scale.clean_steps);
  EXPECT_EQ(loaded.snapshot.state.loss_scale.skipped_steps, state.loss_scale.skipped_steps);
  EXPECT_EQ(loaded.snapshot.parameters, snapshot.parameters);
  EXPECT_EQ(loaded.snapshot.best_parameters, snapshot.best_parameters);
  EXPECT_EQ(loaded.snapshot.optimizer, snapshot.optimizer);
  EXPECT_EQ(to_metadata(loaded.description), to_metadata(description()));
}

TEST(TrainingCheckpoint, WithoutABestEpochThereAreNoBestWeights) {
  const TemporaryFolder folder;
  TrainingSnapshot snapshot;
  snapshot.parameters = weights(1);
  save_training(folder.path("c"), description(), snapshot);
  EXPECT_TRUE(load_training(folder.path("c")).snapshot.best_parameters.empty());
}

}  // namespace
}  // namespace sluice
