// The way back from the loss to every gradient.
#include "host/network/model.h"

#include "kernels/arrays/bias.h"
#include "kernels/arrays/gemm.h"
#include "kernels/arrays/rows.h"
#include "kernels/device/device.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/embedding.h"
#include "kernels/sequences/pooling.h"

namespace sluice {

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
    scatter_rows(queue_, {.type = precision_.data_type,
                          .wide_to = true,
                          .rows = inputs.token_count,
                          .columns = e,
                          .source = dx_.data(),
                          .ld_source = e,
                          .index = inputs.tokens,
                          .to = d_table,
                          .ld_to = e});
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

}  // namespace sluice
