#include "host/training/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>

#include "host/data/data_fingerprint.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/trace_range.h"

namespace sluice {
namespace {

constexpr std::size_t most_graphs = 32;

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

// Of nothing, 0.
double mean(double sum, double count) { return count > 0.0 ? sum / count : 0.0; }

// The most steps a batch can have, whatever the shuffle: those of the longest rows.
PassShape largest_batch(const Dataset& dataset, const std::vector<std::int32_t>& rows,
                        std::int32_t batch_size, bool training) {
  std::vector<std::int32_t> lengths;
  lengths.reserve(rows.size());
  for (const std::int32_t row : rows) lengths.push_back(dataset.length(row));
  const std::size_t batch = std::min(lengths.size(), static_cast<std::size_t>(batch_size));
  std::partial_sort(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(batch),
                    lengths.end(), std::greater<>());
  PassShape shape;
  for (std::size_t i = 0; i < batch; ++i) shape.rows += lengths[i];
  shape.steps = lengths.empty() ? 0 : lengths.front();
  shape.batch = static_cast<std::int32_t>(batch);
  shape.training = training;
  return shape;
}

}  // namespace

void TrainingConfig::validate() const {
  require(epochs >= 1, "epochs must be at least 1, got " + std::to_string(epochs));
  require(batch_size >= 1, "batch must be at least 1, got " + std::to_string(batch_size));
  require(bucket_batches >= 0,
          "bucketing must be 0 (off) or more, got " + std::to_string(bucket_batches));
  require(patience >= 0, "patience must be 0 (off) or more, got " + std::to_string(patience));
  require(report_every >= 1, "report_every must be at least 1");
  optimizer.validate();
  schedule.validate();
  clipping.validate();
}

struct Trainer::EpochClock {
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::int64_t examples = 0, tokens = 0;
  double seconds = 0.0;

  void stop() {
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  double per_second(std::int64_t count) const {
    return seconds > 0.0 ? static_cast<double>(count) / seconds : 0.0;
  }
};

Trainer::Trainer(Model& model, const TrainingConfig& config, const Dataset& dataset,
                 std::vector<std::int32_t> rows, const Dataset* validation,
                 std::vector<std::int32_t> validation_rows)
    : model_(model),
      config_(config),
      dataset_(dataset),
      rows_(std::move(rows)),
      validation_(validation),
      validation_rows_(std::move(validation_rows)),
      optimizer_(model.queue(), config.optimizer, model.layout().size),
      clipping_(model.queue(), config.clipping, model.layout()),
      scaling_(model.queue(), model.precision().data_type == DataType::float16),
      totals_(model.queue(), sizeof(state_.totals)),
      graphs_(model.queue(), config.graphs ? most_graphs : 0) {
  config_.validate();
  require(!rows_.empty(), "there are no examples to train on");
  batches_per_epoch_ = plan().batches();
  state_.data_fingerprint = data_fingerprint(dataset_, rows_);
  model_.reserve(largest_batch(dataset_, rows_, config_.batch_size, true));
  if (validation_ != nullptr) {
    model_.reserve(largest_batch(*validation_, validation_rows_, config_.batch_size, false));
  }
  fill_zero(model_.queue(), totals_.data(), totals_.bytes());
}

void Trainer::restore(const TrainingSnapshot& snapshot) {
  require(snapshot.state.data_fingerprint == state_.data_fingerprint,
          "the training data is not what this run was trained on (other rows, labels, vocabulary, "
          "validation split or --max-length); resume it with the same data and options");
  const auto& states = optimizer_.states();
  bool fits = states.size() == snapshot.optimizer.size();
  for (std::size_t i = 0; fits && i < states.size(); ++i) {
    fits = states[i].name == snapshot.optimizer[i].first &&
           states[i].values.bytes() == snapshot.optimizer[i].second.size() * sizeof(float);
  }
  if (!fits) throw Error::runtime("the checkpoint's optimiser state does not fit this optimiser");
  const Queue& queue = model_.queue();
  model_.set_parameters(snapshot.parameters);
  for (std::size_t i = 0; i < states.size(); ++i) {
    upload(queue, states[i].values.data(), snapshot.optimizer[i].second.data(),
           states[i].values.bytes());
  }
  state_ = snapshot.state;
  best_parameters_ = snapshot.best_parameters;
  optimizer_.set_step(state_.step);
  scaling_.set(state_.loss_scale);
  upload(queue, totals_.data(), state_.totals.data(), totals_.bytes());
  synchronize(queue);
}

bool Trainer::finished() const {
  return state_.epoch >= config_.epochs ||
         (config_.patience > 0 && state_.epochs_since_improvement >= config_.patience);
}

BatchPlan Trainer::plan() const {
  BatchOptions options;
  options.batch_size = config_.batch_size;
  options.bucket_batches = config_.bucket_batches;
  options.seed = config_.seed;
  return BatchPlan(dataset_, rows_, options, static_cast<std::uint32_t>(state_.epoch));
}

BatchPreparation Trainer::preparation() const {
  return {.word_dropout = model_.config().word_dropout,
          .seed = config_.seed,
          .distinct = model_.distinct_search(true)};
}

void Trainer::step(const Batch& batch) {
  ScheduleInput input;
  input.step = state_.step;
  input.steps_per_epoch = batches_per_epoch_;
  input.total_steps = std::int64_t{batches_per_epoch_} * config_.epochs;
  input.plateaus = state_.plateaus;
  learning_rate_ = learning_rate(config_.schedule, input);

  const TraceRange whole("training step");
  model_.load(batch);
  optimizer_.set_learning_rate(learning_rate_);
  graphs_.run(batch.layout.steps(), batch.layout.batch(), model_.pass_signature(), [this] {
    model_.train_pass({config_.seed, optimizer_.step()}, totals_.as<double>(), scaling_.state());
    scaling_.unscale(model_.gradients(), model_.layout().size);
    {
      const TraceRange clips("clipping");
      clipping_.apply(model_.gradients());
    }
    const TraceRange updates("optimiser");
    optimizer_.update(model_.parameters(), model_.gradients(), scaling_.state());
    scaling_.update();
  });
  ++state_.step;
  ++state_.batch;
}

void Trainer::read_totals() {
  const Queue& queue = model_.queue();
  download(queue, state_.totals.data(), totals_.data(), totals_.bytes());
  synchronize(queue);
  if (!std::isfinite(state_.totals[0])) {
    throw Error::runtime("the loss is not a finite number in epoch " +
                         std::to_string(state_.epoch + 1) + ", by step " +
                         std::to_string(state_.step) +
                         "; what was saved before is unchanged: lower --lr, or set --clip-norm");
  }
  read_loss_scale();
}

// A scale that has been halved this often: the gradients are not finite whatever it is.
void Trainer::read_loss_scale() {
  constexpr float least = 0x1p-14f;
  state_.loss_scale = scaling_.get();
  if (state_.loss_scale.scale >= least) return;
  throw Error::runtime("float16 gradients were not finite in " +
                       std::to_string(state_.loss_scale.skipped_steps) + " of " +
                       std::to_string(state_.step) +
                       " steps, however small the loss scale; what was saved before is unchanged: "
                       "lower --lr, set --clip-norm, or take --dtype bfloat16");
}

void Trainer::save(const TrainingHooks& hooks) {
  if (!hooks.save) return;
  read_totals();
  const Queue& queue = model_.queue();
  TrainingSnapshot snapshot;
  snapshot.state = state_;
  snapshot.parameters = model_.download_parameters();
  snapshot.best_parameters = best_parameters_;
  for (const Optimizer::State& array : optimizer_.states()) {
    std::vector<float> values(array.values.bytes() / sizeof(float));
    download(queue, values.data(), array.values.data(), array.values.bytes());
    synchronize(queue);
    snapshot.optimizer.emplace_back(array.name, std::move(values));
  }
  if (!all_finite(snapshot.parameters)) {
    throw Error::runtime("the weights are not finite after step " + std::to_string(state_.step) +
                         "; what was saved before is unchanged: lower --lr, or set --clip-norm");
  }
  hooks.save(snapshot);
}

bool Trainer::train_epoch(const TrainingHooks& hooks, TrainingRequests& requests,
                          EpochClock& clock) {
  const std::int32_t first = state_.batch;
  BatchLoader loader(dataset_, plan(),
                     {.first = first, .first_step = state_.step, .preparation = preparation()});
  Batch batch;
  while (requests.stop == 0) {
    if (requests.save.exchange(false)) save(hooks);
    if (!loader.next(batch)) {
      read_totals();
      clock.stop();
      return true;
    }
    step(batch);
    const std::string problem = graphs_.take_problem();
    if (!problem.empty() && hooks.note) hooks.note(problem);
    clock.examples += batch.layout.batch();
    clock.tokens += batch.layout.rows();
    if (state_.step % static_cast<std::uint32_t>(config_.report_every) != 0) continue;
    read_totals();
    clock.stop();
    if (!hooks.progress) continue;
    const std::int32_t done = state_.batch - first;
    hooks.progress({state_.epoch + 1, config_.epochs, state_.batch, batches_per_epoch_,
                    mean(state_.totals[0], state_.totals[2]),
                    mean(state_.totals[1], state_.totals[2]), clock.per_second(clock.examples),
                    clock.seconds / done * (batches_per_epoch_ - state_.batch)});
  }
  return false;
}

void Trainer::judge(EpochReport& report) {
  const bool first = state_.best_epoch == 0;
  const bool lower_loss = report.validation_loss < state_.best_loss;
  if (!report.validated || first) {
    report.improved = true;  // without validation the latest weights are taken
  } else if (config_.monitor == Monitor::loss) {
    report.improved = lower_loss;
  } else {
    report.improved = report.validation_accuracy > state_.best_accuracy ||
                      (report.validation_accuracy == state_.best_accuracy && lower_loss);
  }
  if (report.improved) {
    state_.best_epoch = report.epoch;
    state_.best_loss = report.validation_loss;
    state_.best_accuracy = report.validation_accuracy;
    exchange_average();
    best_parameters_ = model_.download_parameters();
    exchange_average();
    state_.epochs_since_improvement = state_.epochs_since_reduction = 0;
    return;
  }
  ++state_.epochs_since_improvement;
  if (++state_.epochs_since_reduction >= config_.schedule.epochs) {
    ++state_.plateaus;
    state_.epochs_since_reduction = 0;
  }
}

// Between two calls the model computes with the averaged weights, if there are any.
void Trainer::exchange_average() {
  if (Buffer* average = optimizer_.parameter_average()) model_.swap_parameters(*average);
}

Evaluation Trainer::validate(TrainingRequests& requests) {
  exchange_average();
  Evaluation result =
      evaluate(model_, *validation_, validation_rows_, config_.batch_size, &requests.stop);
  exchange_average();
  return result;
}

bool Trainer::finish_epoch(const TrainingHooks& hooks, TrainingRequests& requests,
                           const EpochClock& clock) {
  EpochReport report;
  report.epoch = state_.epoch + 1;
  report.train_loss = mean(state_.totals[0], state_.totals[2]);
  report.train_accuracy = mean(state_.totals[1], state_.totals[2]);
  report.examples_per_second = clock.per_second(clock.examples);
  report.tokens_per_second = clock.per_second(clock.tokens);
  report.seconds = clock.seconds;
  report.learning_rate = learning_rate_;
  report.validated = validation_ != nullptr && !validation_rows_.empty();
  if (report.validated) {
    const Evaluation result = validate(requests);
    if (result.stopped) return false;
    report.validation_loss = result.loss;
    report.validation_accuracy = result.accuracy;
    if (!std::isfinite(result.loss)) {
      throw Error::runtime("the validation loss is not a finite number in epoch " +
                           std::to_string(report.epoch) +
                           "; what was saved before is unchanged: lower --lr, or set --clip-norm");
    }
  }
  judge(report);
  ++state_.epoch;
  state_.batch = 0;
  state_.totals = {};
  fill_zero(model_.queue(), totals_.data(), totals_.bytes());
  save(hooks);
  if (hooks.epoch_finished) hooks.epoch_finished(report);
  return true;
}

bool Trainer::run(const TrainingHooks& hooks, TrainingRequests& requests) {
  if (state_.step == 0) save(hooks);
  while (!finished()) {
    EpochClock clock;
    if (!train_epoch(hooks, requests, clock) || !finish_epoch(hooks, requests, clock)) {
      save(hooks);
      return false;
    }
  }
  if (!best_parameters_.empty()) model_.set_parameters(best_parameters_);
  return true;
}

std::size_t Trainer::device_bytes() const {
  return model_.bytes() + optimizer_.bytes() + clipping_.bytes() + scaling_.bytes() +
         totals_.bytes();
}

}  // namespace sluice
