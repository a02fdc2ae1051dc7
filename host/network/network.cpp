#include "host/network/network.h"

#include <algorithm>
#include <string>

#include "kernels/base/error.h"
#include "kernels/device/lanes.h"
#include "kernels/sequences/embedding.h"

namespace sluice {
namespace {

// On CUDA a list of distinct words has a multiple of this, so that batches of like size launch the
// same work.
constexpr std::int64_t distinct_multiple = 256;

RecurrentConfig with_precision(RecurrentConfig config, const Precision& precision) {
  precision.validate();
  config.data_type = precision.data_type;
  config.math = precision.math;
  return config;
}

}  // namespace

Network::Network(const Queue& queue, const ModelConfig& config, const Precision& precision,
                 DeviceMemory& memory)
    : queue_(queue),
      config_(config),
      precision_(precision),
      plan_(with_precision(config.recurrent(), precision), queue.device),
      rounded_(memory.add()),
      x_(memory.add()),
      dx_(memory.add()),
      y_(memory.add()),
      dy_(memory.add()),
      reserve_(memory.add()) {
  add_lanes(queue, plan_.lanes());
}

// The most rows of a shared input.
PassShape Network::with_shared_rows(const PassShape& shape) const {
  PassShape sharing = shape;
  if (config_.has_frames()) return sharing;
  if (!shape.training || config_.input_dropout == 0.0) {
    sharing.shared_rows =
        config_.one_hot() ? config_.vocabulary_size
                          : std::min(shape.rows / 2, config_.vocabulary_size + distinct_multiple);
  }
  return sharing;
}

void Network::reserve(const PassShape& largest) {
  const auto stored = [this](Buffer& buffer, std::int64_t rows, std::int64_t columns) {
    buffer.reserve(queue_,
                   static_cast<std::size_t>(rows * columns) * size_of(precision_.data_type));
  };
  if (is_16_bit(precision_.data_type)) {
    stored(rounded_, parameter_count(recurrent_parameters(plan_.config())), 1);
  }
  if (!reads_placed_frames()) stored(x_, largest.rows, config_.input_size());
  stored(y_, largest.rows, config_.features());
  if (!largest.training) return;
  if (!config_.has_frames() || !shares_inputs_) stored(dx_, largest.rows, config_.input_size());
  stored(dy_, largest.rows, config_.features());
  reserve_.reserve(queue_, plan_.reserve_bytes(with_shared_rows(largest)));
}

std::size_t Network::workspace_bytes(const PassShape& largest) const {
  PassShape inference = largest;
  inference.training = false;  // needs more workspace, having no reserve
  const std::size_t bytes = plan_.workspace_bytes(with_shared_rows(inference));
  if (!largest.training) return bytes;
  if (config_.has_frames()) return std::max(bytes, plan_.workspace_bytes(largest));
  return std::max({bytes, plan_.workspace_bytes(with_shared_rows(largest)),
                   embedding_backward_workspace_bytes(queue_, precision_.data_type, largest.rows,
                                                      config_.embedding_size)});
}

std::size_t Network::placed_numbers(const PassShape& largest) const {
  const std::size_t arrangement =
      SequenceLayout::device_bytes(largest.rows, largest.steps, largest.batch);
  const std::int64_t each = config_.has_frames() ? config_.frame_width : 2;
  return static_cast<std::size_t>(each * largest.rows) + arrangement / sizeof(std::int32_t);
}

DistinctSearch Network::distinct_search(bool training) const {
  if (config_.one_hot() || config_.has_frames() || !shares_inputs_ ||
      (training && config_.input_dropout > 0.0))
    return {};
  return {config_.vocabulary_size, queue_.device == DeviceKind::cuda ? distinct_multiple : 1};
}

void Network::place(const Batch& batch, bool training, BatchPlacement& placement) {
  check_input(batch);
  if (config_.has_frames()) frames_ = placement.put(batch.frames);  // first, for its alignment
  sequences_ = placement.put(batch.layout);
  if (!config_.has_frames()) place_tokens(batch, training, placement);
}

void Network::check_input(const Batch& batch) const {
  const auto named = [](std::int32_t width) {
    return width == 0 ? "tokens" : "frames of " + std::to_string(width) + " numbers";
  };
  require(batch.width == config_.frame_width, "a batch of this model holds " +
                                                  named(config_.frame_width) + ", got one of " +
                                                  named(batch.width));
}

void Network::place_tokens(const Batch& batch, bool training, BatchPlacement& placement) {
  shared_ = {};
  if (config_.one_hot()) {
    tokens_ = placement.put(batch.tokens);
    shared_ = {tokens_.data, config_.vocabulary_size};
    return;
  }
  const DistinctSearch search = distinct_search(training);
  if (search.vocabulary > 0) {
    if (batch.distinct.index.empty()) finder_.find(batch.tokens, search, found_);
    const DistinctTokens& distinct = batch.distinct.index.empty() ? found_ : batch.distinct;
    if (static_cast<std::int64_t>(distinct.tokens.size()) * 2 <= batch.layout.rows()) {
      tokens_ = placement.put(distinct.tokens);
      shared_ = {placement.put(distinct.index).data, tokens_.count};
      return;
    }
  }
  tokens_ = placement.put(batch.tokens);
}

}  // namespace sluice
