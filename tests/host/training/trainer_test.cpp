#include "host/training/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "host/device.h"
#include "host/network/initialization.h"
#include "host/tasks/list.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

// Rows of random tokens; class 1 if token 2 comes before token 3.
Dataset toy_dataset(std::int32_t rows) {
  Dataset dataset;
  std::uint32_t state = 12345;
  const auto draw = [&state](std::uint32_t bound) {
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % bound;
  };
  for (std::int32_t i = 0; i < rows; ++i) {
    const std::uint32_t length = 6 + draw(10);
    const std::uint32_t first = draw(length / 2), second = length / 2 + draw(length / 2);
    const bool label = draw(2) == 1;
    for (std::uint32_t t = 0; t < length; ++t) {
      std::int32_t token = 4 + static_cast<std::int32_t>(draw(20));
      if (t == first) token = label ? 2 : 3;
      if (t == second) token = label ? 3 : 2;
      dataset.tokens.push_back(token);
    }
    dataset.offsets.push_back(static_cast<std::int64_t>(dataset.tokens.size()));
    dataset.labels.push_back(label ? 1 : 0);
  }
  return dataset;
}

ModelConfig model_config() {
  ModelConfig config;
  config.vocabulary_size = 24;
  config.embedding_size = 12;
  config.hidden_size = 10;
  config.bidirectional = true;
  config.num_layers = 2;
  config.pooling = Pooling::max;
  config.input_dropout = config.layer_dropout = config.head_dropout = 0.1;
  config.unit_options.recurrent_dropout = 0.1;
  config.word_dropout = 0.05;
  return config;
}

TrainingConfig training_config() {
  TrainingConfig config;
  config.epochs = 3;
  config.batch_size = 16;
  config.report_every = 1;
  config.schedule.learning_rate = 0.01;
  config.schedule.schedule = Schedule::cosine;
  config.clipping.global_norm = 1.0;
  return config;
}

// A run on its own device, model and data.
struct TrainingRun {
  explicit TrainingRun(const TrainingConfig& training = training_config(), int threads = 1,
                       const ModelConfig& network = model_config(), const Precision& precision = {})
      : device(Device::open("cpu", threads)),
        dataset(toy_dataset(200)),
        split(split_rows(dataset.labels, {})),
        model(device.queue(), default_task(), network, precision),
        trainer(model, training, dataset, split.training, &dataset, split.validation) {
    model.set_parameters(
        initial_parameters(network, model.layout(), Initialization::keras, training.seed));
    hooks.save = [this](const TrainingSnapshot& made) { snapshot = made; };
    hooks.epoch_finished = [this](const EpochReport& report) { reports.push_back(report); };
  }

  Device device;
  Dataset dataset;
  Split split;
  Model model;
  Trainer trainer;
  TrainingHooks hooks;
  TrainingRequests requests;
  TrainingSnapshot snapshot;  // the last one saved
  std::vector<EpochReport> reports;
};

TEST(Trainer, TheSameSeedGivesTheSameBitsWithOneOrTwoThreads) {
  TrainingRun first, again, two_threads(training_config(), 2);
  for (TrainingRun* run : {&first, &again, &two_threads}) {
    EXPECT_TRUE(run->trainer.run(run->hooks, run->requests));
  }
  EXPECT_EQ(first.snapshot.parameters, again.snapshot.parameters);
  EXPECT_EQ(first.snapshot.parameters, two_threads.snapshot.parameters);
  EXPECT_EQ(first.snapshot.optimizer, two_threads.snapshot.optimizer);
  EXPECT_EQ(first.snapshot.state.to_json(), two_threads.snapshot.state.to_json());

  TrainingConfig other = training_config();
  other.seed = 2;
  TrainingRun different(other);
  EXPECT_TRUE(different.trainer.run(different.hooks, different.requests));
  EXPECT_NE(first.snapshot.parameters, different.snapshot.parameters);
}

TEST(Trainer, AStopAtAnyStepAndAResumeGiveTheBitsOfTheWholeRun) {
  TrainingConfig config = training_config();
  config.optimizer.average_decay = 0.9;
  TrainingRun whole(config);
  EXPECT_TRUE(whole.trainer.run(whole.hooks, whole.requests));
  const std::uint32_t steps = whole.snapshot.state.step;
  ASSERT_GT(steps, 20u);
  for (const std::uint32_t stop_at : {1u, 7u, steps / 3, steps / 2 + 1, steps - 1}) {
    TrainingRun before(config);
    std::uint32_t taken = 0;
    before.hooks.progress = [&](const ProgressReport&) {
      if (++taken == stop_at) before.requests.stop = 15;
    };
    EXPECT_FALSE(before.trainer.run(before.hooks, before.requests));
    EXPECT_EQ(before.snapshot.state.step, stop_at);

    TrainingRun after(config);
    after.trainer.restore(before.snapshot);
    EXPECT_TRUE(after.trainer.run(after.hooks, after.requests));
    EXPECT_EQ(after.snapshot.parameters, whole.snapshot.parameters) << "stopped at " << stop_at;
    EXPECT_EQ(after.snapshot.best_parameters, whole.snapshot.best_parameters);
    EXPECT_EQ(after.snapshot.optimizer, whole.snapshot.optimizer);
    EXPECT_EQ(after.snapshot.state.to_json(), whole.snapshot.state.to_json());
    EXPECT_EQ(after.reports.back().train_loss, whole.reports.back().train_loss);
  }
}

// A scale that is far too large makes the first steps overflow: they are skipped until it fits.
TEST(Trainer, AFloat16RunSkipsOverflowsAndIsResumedWithItsLossScale) {
  const Precision float16 = {.data_type = DataType::float16};
  TrainingRun at_the_start(training_config(), 1, model_config(), float16);
  at_the_start.requests.stop = 15;
  EXPECT_FALSE(at_the_start.trainer.run(at_the_start.hooks, at_the_start.requests));
  TrainingSnapshot start = at_the_start.snapshot;
  EXPECT_EQ(start.state.loss_scale.scale, 65536.0f);
  start.state.loss_scale.scale = 0x1p30f;

  TrainingRun whole(training_config(), 2, model_config(), float16);
  whole.trainer.restore(start);
  EXPECT_TRUE(whole.trainer.run(whole.hooks, whole.requests));
  const LossScale scale = whole.snapshot.state.loss_scale;
  EXPECT_GT(scale.skipped_steps, 3u);
  EXPECT_EQ(scale.scale, std::ldexp(0x1p30f, -static_cast<int>(scale.skipped_steps)));
  EXPECT_GT(scale.clean_steps, 0u);
  EXPECT_LE(scale.clean_steps + scale.skipped_steps, whole.snapshot.state.step);
  EXPECT_NE(whole.snapshot.parameters, start.parameters);

  for (const std::uint32_t stop_at : {2u, scale.skipped_steps + 2}) {
    TrainingRun before(training_config(), 1, model_config(), float16);
    before.trainer.restore(start);
    std::uint32_t taken = 0;
    before.hooks.progress = [&](const ProgressReport&) {
      if (++taken == stop_at) before.requests.stop = 15;
    };
    EXPECT_FALSE(before.trainer.run(before.hooks, before.requests));
    if (stop_at == 2) {
      EXPECT_EQ(before.snapshot.parameters, start.parameters) << "skipped";
    }
    TrainingRun after(training_config(), 1, model_config(), float16);
    after.trainer.restore(before.snapshot);
    EXPECT_TRUE(after.trainer.run(after.hooks, after.requests));
    EXPECT_EQ(after.snapshot.parameters, whole.snapshot.parameters) << "stopped at " << stop_at;
    EXPECT_EQ(after.snapshot.optimizer, whole.snapshot.optimizer);
    EXPECT_EQ(after.snapshot.state.to_json(), whole.snapshot.state.to_json());
  }
}

TEST(Trainer, GradientsThatAreNeverFiniteEndAFloat16RunAndSaveNothing) {
  const Precision float16 = {.data_type = DataType::float16};
  TrainingRun run(training_config(), 1, model_config(), float16);
  run.requests.stop = 15;
  EXPECT_FALSE(run.trainer.run(run.hooks, run.requests));
  run.snapshot.state.loss_scale.scale = 0x1p-15f;
  run.requests.stop = 0;
  run.trainer.restore(run.snapshot);
  int saves = 0;
  run.hooks.save = [&](const TrainingSnapshot&) { ++saves; };
  try {
    run.trainer.run(run.hooks, run.requests);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("bfloat16"), std::string::npos) << error.what();
  }
  EXPECT_EQ(saves, 0);
}

TEST(Trainer, The16BitTypesLearnAsFloat32Does) {
  TrainingConfig config = training_config();
  config.epochs = 12;
  for (const DataType type : {DataType::bfloat16, DataType::float16}) {
    TrainingRun run(config, 2, model_config(), {.data_type = type});
    EXPECT_TRUE(run.trainer.run(run.hooks, run.requests));
    EXPECT_GT(run.snapshot.state.best_accuracy, 0.9) << name_of(type);
    EXPECT_EQ(run.snapshot.state.loss_scale.clean_steps > 0, type == DataType::float16);
  }
}

TEST(Trainer, ASaveRequestSavesAndGoesOn) {
  TrainingRun plain, saving;
  int saves = 0;
  saving.hooks.save = [&](const TrainingSnapshot& made) {
    ++saves;
    saving.snapshot = made;
  };
  saving.hooks.progress = [&](const ProgressReport& report) {
    if (report.epoch == 1 && report.batch == 3) saving.requests.save = true;
  };
  EXPECT_TRUE(plain.trainer.run(plain.hooks, plain.requests));
  EXPECT_TRUE(saving.trainer.run(saving.hooks, saving.requests));
  EXPECT_EQ(saves, 1 + 1 + 3);  // the start, the request, the epochs
  EXPECT_EQ(saving.snapshot.parameters, plain.snapshot.parameters);
}

TEST(Trainer, LearnsTheOrderOfTwoTokens) {
  TrainingConfig config = training_config();
  config.epochs = 12;
  TrainingRun run(config);
  EXPECT_TRUE(run.trainer.run(run.hooks, run.requests));
  EXPECT_LT(run.reports.back().train_loss, 0.5 * run.reports.front().train_loss);
  EXPECT_GT(run.snapshot.state.best_accuracy, 0.9);
}

TEST(Trainer, EndsWithTheBestWeightsNotTheLast) {
  TrainingConfig config = training_config();
  config.epochs = 8;
  config.schedule.schedule = Schedule::constant;
  config.schedule.learning_rate = 0.3;  // so large that it goes up and down
  TrainingRun run(config);
  EXPECT_TRUE(run.trainer.run(run.hooks, run.requests));
  int best = 0;
  for (const EpochReport& report : run.reports) {
    if (report.improved) best = report.epoch;
  }
  EXPECT_EQ(run.snapshot.state.best_epoch, best);
  EXPECT_EQ(run.model.download_parameters(), run.snapshot.best_parameters);
  for (const EpochReport& report : run.reports) {
    EXPECT_LE(report.validation_accuracy, run.snapshot.state.best_accuracy);
  }
}

TEST(Trainer, PatienceEndsATrainingThatNoLongerImproves) {
  TrainingConfig config = training_config();
  config.epochs = 50;
  config.patience = 2;
  config.schedule.schedule = Schedule::constant;
  config.schedule.learning_rate = 1e-12;  // nothing moves, so epoch 1 stays the best
  config.schedule.minimum = 0.0;
  config.monitor = Monitor::accuracy;
  TrainingRun run(config);
  EXPECT_TRUE(run.trainer.run(run.hooks, run.requests));
  EXPECT_LT(run.reports.size(), 20u);
  EXPECT_EQ(run.snapshot.state.epochs_since_improvement, 2);
}

TEST(Trainer, ALossThatIsNotANumberEndsItAndSavesNothing) {
  TrainingConfig config = training_config();
  config.optimizer.kind = OptimizerKind::sgd;
  config.clipping = {};
  config.schedule.schedule = Schedule::constant;
  config.schedule.learning_rate = 1e38;
  TrainingRun run(config);
  try {
    run.trainer.run(run.hooks, run.requests);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::runtime);
    EXPECT_NE(std::string(error.what()).find("epoch 1"), std::string::npos) << error.what();
  }
  EXPECT_EQ(run.snapshot.state.step, 0u) << "only the start may have been saved";
  for (const float weight : run.snapshot.parameters) ASSERT_TRUE(std::isfinite(weight));
}

TEST(Trainer, RefusesASnapshotOfOtherData) {
  TrainingRun run;
  run.trainer.run(run.hooks, run.requests);
  TrainingSnapshot snapshot = run.snapshot;
  snapshot.state.data_fingerprint = "0000000000000000";
  TrainingRun other;
  EXPECT_THROW(other.trainer.restore(snapshot), Error);
  snapshot = run.snapshot;
  snapshot.optimizer.pop_back();
  EXPECT_THROW(other.trainer.restore(snapshot), Error);
}

TEST(Trainer, AverageIsWhatIsValidatedAndKept) {
  TrainingConfig config = training_config();
  config.schedule.schedule = Schedule::constant;
  config.schedule.learning_rate = 0.05;
  TrainingRun plain(config);
  EXPECT_TRUE(plain.trainer.run(plain.hooks, plain.requests));
  config.optimizer.average_decay = 0.9;
  TrainingRun averaged(config);
  EXPECT_TRUE(averaged.trainer.run(averaged.hooks, averaged.requests));
  EXPECT_EQ(averaged.snapshot.parameters, plain.snapshot.parameters) << "it changed the training";
  EXPECT_EQ(averaged.reports[0].train_loss, plain.reports[0].train_loss);
  EXPECT_NE(averaged.reports[0].validation_loss, plain.reports[0].validation_loss);
  EXPECT_EQ(averaged.snapshot.optimizer.back().first, "parameter_average");
  if (averaged.snapshot.state.best_epoch == config.epochs) {
    EXPECT_EQ(averaged.snapshot.best_parameters, averaged.snapshot.optimizer.back().second);
  }
  const Evaluation result =
      evaluate(averaged.model, averaged.dataset, averaged.split.validation, config.batch_size);
  EXPECT_EQ(result.accuracy, averaged.snapshot.state.best_accuracy);
  EXPECT_EQ(result.loss, averaged.snapshot.state.best_loss);
}

TEST(Trainer, NothingIsAllocatedAfterTheFirstEpoch) {
  TrainingRun run;
  std::vector<std::size_t> sizes;
  run.hooks.progress = [&](const ProgressReport&) { sizes.push_back(run.trainer.device_bytes()); };
  run.trainer.run(run.hooks, run.requests);
  for (const std::size_t size : sizes) EXPECT_EQ(size, sizes.front());
}

}  // namespace
}  // namespace sluice
