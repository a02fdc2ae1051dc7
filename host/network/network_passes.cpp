// The passes of a network: tokens or frames to features, and back to the gradients of its weights.
#include "host/network/network.h"
#include "kernels/arrays/convert.h"
#include "kernels/arrays/rows.h"
#include "kernels/device/device.h"
#include "kernels/device/trace_range.h"
#include "kernels/sequences/embedding.h"

namespace sluice {

void Network::embed(const Weights& weights) {
  const TraceRange range("embedding");
  if (config_.one_hot()) return;
  if (config_.has_frames()) {
    if (reads_placed_frames()) return;
    return convert(queue_, {.count = frames_.count,
                            .from = frames_.data,
                            .to_type = precision_.data_type,
                            .to = x_.data()});
  }
  EmbeddingForwardArgs embed;
  embed.type = precision_.data_type;
  embed.wide_table = true;
  embed.rows = tokens_.count;
  embed.embedding_size = config_.embedding_size;
  embed.vocabulary = config_.vocabulary_size;
  embed.table = weights.value("embedding.weight");
  embed.tokens = tokens_.data;
  embed.out = x_.data();
  embedding_forward(queue_, embed);
}

// x of the recurrent layers.
const void* Network::input(const Weights& weights) const {
  if (reads_placed_frames()) return frames_.data;
  return config_.one_hot() ? weights.value("rnn.gate_table_l0") : x_.data();
}

void* Network::input_gradient(const Weights& weights) const {
  return config_.one_hot() ? weights.gradient("rnn.gate_table_l0") : dx_.data();
}

// Where the recurrent layers' weights stand in the type they are computed in.
const void* Network::recurrent_weights(const Weights& weights) const {
  const float* const values = weights.values + weights.layout->recurrent;
  return is_16_bit(precision_.data_type) ? rounded_.data() : values;
}

void Network::round_recurrent_weights(const Weights& weights) {
  if (!is_16_bit(precision_.data_type)) return;
  convert(queue_, {.count = parameter_count(recurrent_parameters(plan_.config())),
                   .from = weights.values + weights.layout->recurrent,
                   .to_type = precision_.data_type,
                   .to = rounded_.data()});
}

void Network::forward(const Weights& weights, const DropoutSource* dropout,
                      const Workspace& workspace) {
  embed(weights);
  const TraceRange range("recurrent layers");
  round_recurrent_weights(weights);
  RecurrentForwardArgs recur;
  recur.sequences = sequences_;
  recur.parameters = recurrent_weights(weights);
  recur.x = input(weights);
  recur.shared_input = shared_;
  recur.y = y_.data();
  recur.workspace = workspace.data;
  if (dropout != nullptr) {
    recur.reserve = reserve_.data();
    recur.seed = dropout->seed;
    recur.step = dropout->step;
  }
  plan_.forward(queue_, recur);
}

void Network::backward(const Weights& weights, const DropoutSource& dropout,
                       const Workspace& workspace) {
  RecurrentBackwardArgs recur;
  recur.sequences = sequences_;
  recur.parameters = recurrent_weights(weights);
  recur.x = input(weights);
  recur.shared_input = shared_;
  recur.y = y_.data();
  recur.dy = dy_.data();
  recur.dx = input_gradient(weights);
  recur.d_parameters = weights.gradients + weights.layout->recurrent;
  recur.reserve = reserve_.data();
  recur.workspace = workspace.data;
  recur.seed = dropout.seed;
  recur.step = dropout.step;
  plan_.backward(queue_, recur);

  embed_back(weights, workspace);
}

void Network::embed_back(const Weights& weights, const Workspace& workspace) {
  const TraceRange range("embedding backward");
  if (config_.one_hot() || config_.has_frames()) return;
  float* const d_table = weights.gradient("embedding.weight");
  const std::int64_t e = config_.embedding_size;
  if (shared_.index != nullptr) {  // each word has one row of dx
    fill_zero(queue_, d_table,
              static_cast<std::size_t>(config_.vocabulary_size * e) * sizeof(float));
    scatter_rows(queue_, {.type = precision_.data_type,
                          .wide_to = true,
                          .rows = tokens_.count,
                          .columns = e,
                          .source = dx_.data(),
                          .ld_source = e,
                          .index = tokens_.data,
                          .to = d_table,
                          .ld_to = e});
    return;
  }
  EmbeddingBackwardArgs embed;
  embed.type = precision_.data_type;
  embed.rows = sequences_.rows;
  embed.embedding_size = e;
  embed.vocabulary = config_.vocabulary_size;
  embed.d_out = dx_.data();
  embed.tokens = tokens_.data;
  embed.d_table = d_table;
  embed.workspace = workspace.data;
  embed.workspace_bytes = workspace.bytes;
  embedding_backward(queue_, embed);
}

}  // namespace sluice
