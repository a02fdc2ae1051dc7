#include "host/model/model.h"

#include <algorithm>
#include <utility>

#include "kernels/bias.h"
#include "kernels/convert.h"
#include "kernels/device.h"
#include "kernels/dropout.h"
#include "kernels/embedding.h"
#include "kernels/error.h"
#include "kernels/gemm.h"
#include "kernels/lanes.h"
#include "kernels/loss.h"
#include "kernels/pooling.h"
#include "kernels/rows.h"
#include "kernels/trace_range.h"

namespace sluice {
namespace {

// On CUDA a list of distinct words has a multiple of this, so that batches of like size launch the
// same work.
constexpr std::int64_t distinct_multiple = 256;

constexpr std::uint32_t head_dropout_stream = 0x48454144;  // "HEAD"; the engine counts from 0

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
      distinct_(config.vocabulary_size),
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
    buffer.reserve(queue_, static_cast<std::size_t>(rows * columns) * size_of(precision_.data_type));
  };
  const std::int64_t e = config_.embedding_size, f = config_.features(), c = config_.logits();
  if (is_16_bit(precision_.data_type)) {
    stored(rounded_, parameter_count(recurrent_parameters(plan_.config())), 1);
  }
  if (staging_ != nullptr) {  // tokens, their index, labels and the two arrangements
    const std::size_t arrangements = SequenceLayout::device_bytes(all.rows, all.steps, all.batch) +
                                     SequenceLayout::device_bytes(all.batch, 1, all.batch);
    staging_->reserve(static_cast<std::size_t>(2 * all.rows + all.batch) + arrangements / sizeof(std::int32_t));
  }
  stored(x_, all.rows, e);
  stored(y_, all.rows, f);
  floats(pooled_, all.batch, f);
  floats(argmax_, all.batch, f);
  floats(logits_, all.batch, c);
  floats(probabilities_, all.batch, c);
  PassShape inference = all, training = all;
  inference.training = false;  // needs more workspace, having no reserve
  inference.shared_rows =
      config_.one_hot() ? config_.vocabulary_size
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

// Where a launch can read the numbers: themselves on the CPU, a copy on CUDA.
const std::int32_t* Model::place_numbers(const std::vector<std::int32_t>& values) {
  return staging_ == nullptr ? values.data() : staging_->put(values);
}

Sequences Model::place_sequences(const SequenceLayout& layout) {
  if (staging_ == nullptr) return layout.host_view();
  const std::int32_t* place = nullptr;
  const std::size_t bytes = SequenceLayout::device_bytes(layout.rows(), layout.steps(), layout.batch());
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
  if (shares_inputs_ && !(training && config_.input_dropout > 0.0)) {
    distinct_.find(batch.tokens, queue_.device == DeviceKind::cuda ? distinct_multiple : 1);
    inputs.token_count = static_cast<std::int64_t>(distinct_.tokens().size());
    if (inputs.token_count * 2 <= rows_) {
      inputs.tokens = place_numbers(distinct_.tokens());
      inputs.shared = {place_numbers(distinct_.index()), inputs.token_count};
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
                   .from = parameters() + layout_.recurrent, .to_type = precision_.data_type,
                   .to = rounded_.data()});
}

const float* Model::weight(const char* name) const {
  return parameters() + layout_.view(name).offset;
}
float* Model::gradient(const char* name) const { return gradients() + layout_.view(name).offset; }

void Model::embed(const Inputs& inputs) {
  const TraceRange range("embedding");
  if (config_.one_hot()) return;
  EmbeddingForwardArgs embed;
  embed.type = precision_.data_type;
  embed.wide_table = true;
  embed.rows = inputs.token_count;
  embed.embedding_size = config_.embedding_size;
  embed.vocabulary = config_.vocabulary_size;
  embed.table = weight("embedding.weight");
  embed.tokens = inputs.tokens;
  embed.out = x_.data();
  embedding_forward(queue_, embed);
}

void Model::recur(const Inputs& inputs, const DropoutSource* dropout) {
  const TraceRange range("recurrent layers");
  round_recurrent_weights();
  RecurrentForwardArgs recur;
  recur.sequences = inputs.sequences;
  recur.parameters = recurrent_weights();
  recur.x = config_.one_hot() ? weight("rnn.gate_table_l0") : x_.data();
  recur.shared_input = inputs.shared;
  recur.y = y_.data();
  recur.workspace = workspace_.data();
  if (dropout != nullptr) {
    recur.reserve = reserve_.data();
    recur.seed = dropout->seed;
    recur.step = dropout->step;
  }
  plan_.forward(queue_, recur);
}

void Model::drop_features(const Inputs& inputs, const DropoutSource& dropout,
                          const Buffer& features) {
  if (config_.head_dropout == 0.0) return;
  DropoutRowsArgs args;
  args.sequences = inputs.features;
  args.columns = config_.features();
  args.rate = config_.head_dropout;
  args.random = {dropout.seed, head_dropout_stream, dropout.step};
  args.x = features.data();
  args.y = features.data();
  dropout_rows(queue_, args);
}

void Model::pool_and_classify(const Inputs& inputs, const DropoutSource* dropout) {
  const TraceRange range("pooling and head");
  PoolForwardArgs pool;
  pool.type = precision_.data_type;
  pool.pooling = config_.pooling;
  pool.sequences = inputs.sequences;
  pool.features = config_.features();
  pool.directions = config_.recurrent().directions();
  pool.y = y_.data();
  pool.out = pooled_.data();
  pool.argmax = argmax_.as<std::int32_t>();
  pool_forward(queue_, pool);
  if (dropout != nullptr) drop_features(inputs, *dropout, pooled_);

  GemmArgs head;  // logits [B, C] = pooled [B, F] weight^T [F, C]
  head.math = precision_.math;
  head.transpose_b = true;
  head.m = batch_;
  head.n = config_.logits();
  head.k = config_.features();
  head.a = pooled_.data();
  head.lda = head.k;
  head.b = weight("head.weight");
  head.ldb = head.k;
  head.c = logits_.data();
  head.ldc = head.n;
  gemm(queue_, head);

  AddBiasArgs bias;
  bias.rows = batch_;
  bias.columns = bias.ld = config_.logits();
  bias.x = logits_.data();
  bias.bias = weight("head.bias");
  add_bias(queue_, bias);
}

void Model::compute_loss(const Inputs& inputs, double* totals, const LossScale* loss_scale) {
  const TraceRange range("loss");
  const auto fill = [&](auto& loss) {
    loss.rows = batch_;
    loss.logits = logits_.data();
    loss.labels = inputs.labels;
    loss.loss_scale = loss_scale;
    loss.d_logits = d_logits_.data();
    loss.probabilities = probabilities_.data();
    loss.totals = totals;
    loss.workspace = workspace_.data();
    loss.workspace_bytes = workspace_.bytes();
  };
  if (config_.classes == 2) {
    SigmoidCrossEntropyArgs loss;
    fill(loss);
    sigmoid_cross_entropy(queue_, loss);
  } else {
    SoftmaxCrossEntropyArgs loss;
    fill(loss);
    loss.classes = config_.classes;
    softmax_cross_entropy(queue_, loss);
  }
}

void Model::backward_from_loss(const Inputs& inputs, const DropoutSource& dropout) {
  const TraceRange range("backward");
  const std::int64_t f = config_.features(), c = config_.logits();
  GemmArgs weight_gradient;  // [C, F] = d_logits^T [C, B] pooled [B, F]
  weight_gradient.math = precision_.math;
  weight_gradient.transpose_a = true;
  weight_gradient.m = c;
  weight_gradient.n = f;
  weight_gradient.k = batch_;
  weight_gradient.a = d_logits_.data();
  weight_gradient.lda = c;
  weight_gradient.b = pooled_.data();
  weight_gradient.ldb = f;
  weight_gradient.c = gradient("head.weight");
  weight_gradient.ldc = f;
  gemm(queue_, weight_gradient);

  ColumnSumArgs bias_gradient;
  bias_gradient.rows = batch_;
  bias_gradient.columns = bias_gradient.ld = c;
  bias_gradient.x = d_logits_.data();
  bias_gradient.out = gradient("head.bias");
  bias_gradient.workspace = workspace_.data();
  bias_gradient.workspace_bytes = workspace_.bytes();
  column_sum(queue_, bias_gradient);

  GemmArgs input_gradient;  // d_pooled [B, F] = d_logits [B, C] weight [C, F]
  input_gradient.math = precision_.math;
  input_gradient.m = batch_;
  input_gradient.n = f;
  input_gradient.k = c;
  input_gradient.a = d_logits_.data();
  input_gradient.lda = c;
  input_gradient.b = weight("head.weight");
  input_gradient.ldb = f;
  input_gradient.c = d_pooled_.data();
  input_gradient.ldc = f;
  gemm(queue_, input_gradient);
  drop_features(inputs, dropout, d_pooled_);

  PoolBackwardArgs pool;
  pool.type = precision_.data_type;
  pool.pooling = config_.pooling;
  pool.sequences = inputs.sequences;
  pool.features = f;
  pool.directions = config_.recurrent().directions();
  pool.d_out = d_pooled_.data();
  pool.argmax = argmax_.as<std::int32_t>();
  pool.dy = dy_.data();
  pool_backward(queue_, pool);

  RecurrentBackwardArgs recur;
  recur.sequences = inputs.sequences;
  recur.parameters = recurrent_weights();
  recur.x = config_.one_hot() ? weight("rnn.gate_table_l0") : x_.data();
  recur.shared_input = inputs.shared;
  recur.y = y_.data();
  recur.dy = dy_.data();
  recur.dx = config_.one_hot() ? gradient("rnn.gate_table_l0") : dx_.data();
  recur.d_parameters = gradients() + layout_.recurrent;
  recur.reserve = reserve_.data();
  recur.workspace = workspace_.data();
  recur.seed = dropout.seed;
  recur.step = dropout.step;
  plan_.backward(queue_, recur);

  embed_back(inputs);
}

void Model::embed_back(const Inputs& inputs) {
  const TraceRange range("embedding backward");
  if (config_.one_hot()) return;
  float* const d_table = gradient("embedding.weight");
  const std::int64_t e = config_.embedding_size;
  if (inputs.shared.index != nullptr) {  // each word has one row of dx
    fill_zero(queue_, d_table,
              static_cast<std::size_t>(config_.vocabulary_size * e) * sizeof(float));
    scatter_rows(queue_, {.type = precision_.data_type, .wide_to = true, .rows = inputs.token_count, .columns = e, .source = dx_.data(),
                          .ld_source = e, .index = inputs.tokens, .to = d_table, .ld_to = e});
    return;
  }
  EmbeddingBackwardArgs embed;
  embed.type = precision_.data_type;
  embed.rows = rows_;
  embed.embedding_size = e;
  embed.vocabulary = config_.vocabulary_size;
  embed.d_out = dx_.data();
  embed.tokens = inputs.tokens;
  embed.d_table = d_table;
  embed.workspace = workspace_.data();
  embed.workspace_bytes = workspace_.bytes();
  embedding_backward(queue_, embed);
}

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
      generation_, static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(parameters_.data())),
      sequences.steps, sequences.batch, sequences.rows, sequences.sorted_as_given,
      loaded_.token_count, loaded_.shared.rows};
  signature.insert(signature.end(), sequences.host_offsets, sequences.host_offsets + sequences.steps + 1);
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
       {&parameters_, &gradients_, &rounded_, &x_, &dx_, &y_, &dy_, &pooled_, &d_pooled_, &argmax_, &logits_, &d_logits_, &probabilities_,
        &reserve_, &workspace_}) {
    total += buffer->bytes();
  }
  return total;
}

}  // namespace sluice
