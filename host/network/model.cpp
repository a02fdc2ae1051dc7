#include "host/network/model.h"

#include <algorithm>
#include <utility>

#include "kernels/arrays/bias.h"
#include "kernels/arrays/convert.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/lanes.h"
#include "kernels/losses/loss.h"
#include "kernels/sequences/embedding.h"

namespace sluice {
namespace {

// On CUDA a list of distinct words has a multiple of this, so that batches of like size launch the
// same work.
constexpr std::int64_t distinct_multiple = 256;

std::vector<float> to_host(const Queue& queue, const Buffer& buffer, std::int64_t count,
                           DataType type = DataType::float32) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * size_of(type));
  download(queue, bytes.data(), buffer.data(), bytes.size());
  synchronize(queue);
  std::vector<float> values(static_cast<std::size_t>(count));
  convert(Queue(), {.count = count, .from_type = type, .from = bytes.data(), .to = values.data()});
  return values;
}

RecurrentConfig with_precision(RecurrentConfig config, const Precision& precision) {
  precision.validate();
  config.data_type = precision.data_type;
  config.math = precision.math;
  return config;
}

}  // namespace

Model::Model(const Queue& queue, const ModelConfig& config, const Precision& precision)
    : queue_(queue),
      config_(config),
      precision_(precision),
      layout_(config),
      plan_(with_precision(config.recurrent(), precision), queue.device),
      parameters_(queue, static_cast<std::size_t>(layout_.size) * sizeof(float)) {
  reserved_.training = false;
  if (queue.device == DeviceKind::cuda) staging_ = std::make_unique<BatchStaging>(queue);
  add_lanes(queue, plan_.lanes());
}

void Model::set_parameters(const std::vector<float>& values) {
  require(static_cast<std::int64_t>(values.size()) == layout_.size,
          "the model has " + std::to_string(layout_.size) + " numbers, got " +
              std::to_string(values.size()));
  upload(queue_, parameters_.data(), values.data(), values.size() * sizeof(float));
  synchronize(queue_);
}

void Model::swap_parameters(Buffer& other) {
  require(other.bytes() == parameters_.bytes(), "swap_parameters: expected a buffer of " +
                                                    std::to_string(parameters_.bytes()) +
                                                    " bytes, got " + std::to_string(other.bytes()));
  std::swap(parameters_, other);
}

std::vector<float> Model::download_parameters() const {
  return to_host(queue_, parameters_, layout_.size);
}

void Model::reserve(const PassShape& shape) {
  if (shape.rows <= reserved_.rows && shape.steps <= reserved_.steps &&
      shape.batch <= reserved_.batch && shape.training <= reserved_.training) {
    return;
  }
  const PassShape all = {
      std::max(shape.rows, reserved_.rows), std::max(shape.steps, reserved_.steps),
      std::max(shape.batch, reserved_.batch), shape.training || reserved_.training};
  const auto floats = [this](Buffer& buffer, std::int64_t rows, std::int64_t columns) {
    buffer.reserve(queue_, static_cast<std::size_t>(rows * columns) * sizeof(float));
  };
  const auto stored = [this](Buffer& buffer, std::int64_t rows, std::int64_t columns) {
    buffer.reserve(queue_,
                   static_cast<std::size_t>(rows * columns) * size_of(precision_.data_type));
  };
  const std::int64_t e = config_.embedding_size, f = config_.features(), c = config_.logits();
  if (is_16_bit(precision_.data_type)) {
    stored(rounded_, parameter_count(recurrent_parameters(plan_.config())), 1);
  }
  if (staging_ != nullptr) {  // tokens, their index, labels and the two arrangements
    const std::size_t arrangements = SequenceLayout::device_bytes(all.rows, all.steps, all.batch) +
                                     SequenceLayout::device_bytes(all.batch, 1, all.batch);
    staging_->reserve(static_cast<std::size_t>(2 * all.rows + all.batch) +
                      arrangements / sizeof(std::int32_t));
  }
  stored(x_, all.rows, e);
  stored(y_, all.rows, f);
  floats(pooled_, all.batch, f);
  floats(argmax_, all.batch, f);
  floats(logits_, all.batch, c);
  floats(probabilities_, all.batch, c);
  PassShape inference = all, training = all;
  inference.training = false;  // needs more workspace, having no reserve
  inference.shared_rows = config_.one_hot()
                              ? config_.vocabulary_size
                              : std::min(all.rows / 2, config_.vocabulary_size + distinct_multiple);
  if (config_.input_dropout == 0.0) training.shared_rows = inference.shared_rows;
  std::size_t workspace =
      std::max(plan_.workspace_bytes(inference), cross_entropy_workspace_bytes(all.batch));
  if (all.training) {
    if (gradients_.data() == nullptr) {
      floats(gradients_, layout_.size, 1);
      fill_zero(queue_, gradients_.data(), gradients_.bytes());  // the layout's gaps stay zero
    }
    stored(dx_, all.rows, e);
    stored(dy_, all.rows, f);
    floats(d_pooled_, all.batch, f);
    floats(d_logits_, all.batch, c);
    reserve_.reserve(queue_, plan_.reserve_bytes(training));
    workspace =
        std::max({workspace, plan_.workspace_bytes(training),
                  column_sum_workspace_bytes(DataType::float32, all.batch, c),
                  embedding_backward_workspace_bytes(queue_, precision_.data_type, all.rows, e)});
  }
  workspace_.reserve(queue_, workspace);
  reserved_ = all;
  ++generation_;
}

DistinctSearch Model::distinct_search(bool training) const {
  if (config_.one_hot() || !shares_inputs_ || (training && config_.input_dropout > 0.0)) return {};
  return {config_.vocabulary_size, queue_.device == DeviceKind::cuda ? distinct_multiple : 1};
}

// Where a launch can read the numbers: themselves on the CPU, a copy on CUDA.
const std::int32_t* Model::place_numbers(const std::vector<std::int32_t>& values) {
  return staging_ == nullptr ? values.data() : staging_->put(values);
}

Sequences Model::place_sequences(const SequenceLayout& layout) {
  if (staging_ == nullptr) return layout.host_view();
  const std::int32_t* place = nullptr;
  const std::size_t bytes =
      SequenceLayout::device_bytes(layout.rows(), layout.steps(), layout.batch());
  layout.write_to(staging_->take(bytes / sizeof(std::int32_t), place));
  return layout.view_at(place);
}

Model::Inputs Model::place(const Batch& batch, bool training) {
  rows_ = batch.layout.rows();
  batch_ = batch.layout.batch();
  reserve({rows_, batch.layout.steps(), batch.layout.batch(), training});
  if (staging_ != nullptr) staging_->begin();
  Inputs inputs;
  inputs.sequences = place_sequences(batch.layout);
  place_tokens(batch, training, inputs);
  if (!batch.labels.empty()) inputs.labels = place_numbers(batch.labels);
  if (training && config_.head_dropout > 0.0) {
    if (one_step_.batch() != batch_) {
      one_step_ = SequenceLayout::equal(1, static_cast<std::int32_t>(batch_));
    }
    inputs.features = place_sequences(one_step_);
  }
  if (staging_ != nullptr) staging_->send();
  return inputs;
}

void Model::place_tokens(const Batch& batch, bool training, Inputs& inputs) {
  if (config_.one_hot()) {
    inputs.tokens = place_numbers(batch.tokens);
    inputs.shared = {inputs.tokens, config_.vocabulary_size};
    return;
  }
  const DistinctSearch search = distinct_search(training);
  if (search.vocabulary > 0) {
    if (batch.distinct.index.empty()) finder_.find(batch.tokens, search, found_);
    const DistinctTokens& distinct = batch.distinct.index.empty() ? found_ : batch.distinct;
    inputs.token_count = static_cast<std::int64_t>(distinct.tokens.size());
    if (inputs.token_count * 2 <= rows_) {
      inputs.tokens = place_numbers(distinct.tokens);
      inputs.shared = {place_numbers(distinct.index), inputs.token_count};
      return;
    }
  }
  inputs.tokens = place_numbers(batch.tokens);
  inputs.token_count = rows_;
}

// Where the recurrent layers' weights stand in the type they are computed in.
const void* Model::recurrent_weights() const {
  const float* const weights = parameters() + layout_.recurrent;
  return is_16_bit(precision_.data_type) ? rounded_.data() : weights;
}

void Model::round_recurrent_weights() {
  if (!is_16_bit(precision_.data_type)) return;
  convert(queue_, {.count = parameter_count(recurrent_parameters(plan_.config())),
                   .from = parameters() + layout_.recurrent,
                   .to_type = precision_.data_type,
                   .to = rounded_.data()});
}

const float* Model::weight(const char* name) const {
  return parameters() + layout_.view(name).offset;
}
float* Model::gradient(const char* name) const { return gradients() + layout_.view(name).offset; }

void Model::load(const Batch& batch) {
  require(static_cast<std::int64_t>(batch.labels.size()) == batch.layout.batch(),
          "a training batch needs a label for each of its rows");
  loaded_ = place(batch, true);
}

void Model::train_pass(const DropoutSource& dropout, double* totals, const LossScale* loss_scale) {
  embed(loaded_);
  recur(loaded_, &dropout);
  pool_and_classify(loaded_, &dropout);
  compute_loss(loaded_, totals, loss_scale);
  backward_from_loss(loaded_, dropout);
}

std::vector<std::int64_t> Model::pass_signature() const {
  const Sequences& sequences = loaded_.sequences;
  std::vector<std::int64_t> signature = {
      generation_,
      static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(parameters_.data())),
      sequences.steps,
      sequences.batch,
      sequences.rows,
      sequences.sorted_as_given,
      loaded_.token_count,
      loaded_.shared.rows};
  signature.insert(signature.end(), sequences.host_offsets,
                   sequences.host_offsets + sequences.steps + 1);
  return signature;
}

void Model::forward_pass(const Batch& batch, double* totals) {
  const Inputs inputs = place(batch, false);
  embed(inputs);
  recur(inputs, nullptr);
  pool_and_classify(inputs, nullptr);
  compute_loss(inputs, inputs.labels == nullptr ? nullptr : totals, nullptr);
}

std::vector<float> Model::download_probabilities() const {
  return to_host(queue_, probabilities_, batch_ * config_.logits());
}

std::vector<float> Model::download_input_gradient() const {
  require(!config_.one_hot(), "one-hot input has no gradient; use an embedding");
  return to_host(queue_, dx_, rows_ * config_.embedding_size, precision_.data_type);
}

std::size_t Model::bytes() const {
  std::size_t total = staging_ == nullptr ? 0 : staging_->bytes();
  for (const Buffer* buffer :
       {&parameters_, &gradients_, &rounded_, &x_, &dx_, &y_, &dy_, &pooled_, &d_pooled_, &argmax_,
        &logits_, &d_logits_, &probabilities_, &reserve_, &workspace_}) {
    total += buffer->bytes();
  }
  return total;
}

}  // namespace sluice
