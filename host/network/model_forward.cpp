// The passes of a model from tokens to the loss.
#include "host/network/model.h"

#include "kernels/arrays/bias.h"
#include "kernels/arrays/gemm.h"
#include "kernels/device/trace_range.h"
#include "kernels/losses/loss.h"
#include "kernels/sequences/dropout.h"
#include "kernels/sequences/embedding.h"
#include "kernels/sequences/pooling.h"

namespace sluice {
namespace {

constexpr std::uint32_t head_dropout_stream = 0x48454144;  // "HEAD"; the engine counts from 0

}  // namespace

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

}  // namespace sluice
