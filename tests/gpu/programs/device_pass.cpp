#include "tests/gpu/programs/device_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/base/number.h"

namespace sluice::test {
namespace {

constexpr std::size_t most_numbers_made =
    (std::size_t{1} << 22) - 3;  // a prime: rows are not alike
constexpr std::size_t nan_bytes = std::size_t{1} << 20;

/// Uniform in [-scale, scale); SplitMix64 (Steele, Lea and Flood 2014), 24 bits of each word.
template <class Number>
std::vector<Number> random_block(std::size_t count, std::uint64_t seed, float scale) {
  std::vector<Number> numbers(count);
  std::uint64_t state = seed << 40;
  for (Number& number : numbers) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    number = narrow<Number>((static_cast<float>(z >> 40) * 0x1p-23f - 1.0f) * scale);
  }
  return numbers;
}

/// The first `filled` bytes again and again.
void repeat(const Queue& queue, void* memory, std::size_t filled, std::size_t bytes) {
  auto* const first = static_cast<unsigned char*>(memory);
  for (std::size_t at = filled; at < bytes; at *= 2)
    copy(queue, first + at, first, std::min(at, bytes - at));
}

/// `most`: numbers that are made, and then repeated.
Buffer random_buffer(const Queue& queue, DataType type, std::int64_t count, std::uint64_t seed,
                     double scale, std::size_t most = most_numbers_made) {
  const auto numbers = static_cast<std::size_t>(count);
  Buffer buffer(queue, numbers * size_of(type));
  with_number(type, [&]<class Number>(Number) {
    const std::vector<Number> block =
        random_block<Number>(std::min(numbers, most), seed, static_cast<float>(scale));
    upload(queue, buffer.data(), block.data(), block.size() * sizeof(Number));
    synchronize(queue);
    repeat(queue, buffer.data(), block.size() * sizeof(Number), buffer.bytes());
  });
  return buffer;
}

std::int64_t state_count(const RecurrentConfig& config, std::int32_t batch) {
  return std::int64_t{config.num_layers} * config.directions() * batch * config.hidden_size;
}

PassShape shape_of(const SequenceLayout& layout) {
  return {layout.rows(), layout.steps(), layout.batch(), true};
}

}  // namespace

LayerInputs::LayerInputs(const Queue& queue, const RecurrentConfig& config, std::int64_t rows,
                         std::int32_t batch) {
  const DataType type = config.data_type;
  const std::int64_t weights = parameter_count(recurrent_parameters(config)),
                     states = state_count(config, batch);
  const bool lstm = has_cell_state(config.cell);
  parameters = random_buffer(queue, type, weights, 1,
                             1.0 / std::sqrt(static_cast<double>(config.hidden_size)),
                             static_cast<std::size_t>(weights));
  x = random_buffer(queue, type, rows * config.input_size, 2, 1.0);
  h0 = random_buffer(queue, type, states, 3, 0.5);
  c0 = random_buffer(queue, type, lstm ? states : 0, 4, 0.5);
  dy = random_buffer(queue, type, rows * config.output_size(), 5, 1.0);
  dh_n = random_buffer(queue, type, states, 6, 1.0);
  dc_n = random_buffer(queue, type, lstm ? states : 0, 7, 1.0);
}

DevicePass::DevicePass(const Queue& queue, const RecurrentConfig& config, Algorithm algorithm,
                       const SequenceLayout& layout, const LayerInputs& inputs,
                       std::int32_t chunk_steps)
    : queue_(queue), plan_(config, queue.device, algorithm, chunk_steps), inputs_(inputs) {
  const std::size_t number = size_of(config.data_type);
  const auto bytes = [&](std::int64_t numbers) {
    return static_cast<std::size_t>(numbers) * number;
  };
  const std::int64_t states = state_count(config, layout.batch());
  workspace_ = Buffer(queue, plan_.workspace_bytes(shape_of(layout)));
  reserve_ = Buffer(queue, plan_.reserve_bytes(shape_of(layout)));
  layout_memory_ =
      Buffer(queue, SequenceLayout::device_bytes(layout.rows(), layout.steps(), layout.batch()));
  nan_ = Buffer(queue, nan_bytes);
  y_ = Buffer(queue, bytes(layout.rows() * config.output_size()));
  dx_ = Buffer(queue, bytes(layout.rows() * config.input_size));
  h_n_ = Buffer(queue, bytes(states));
  dh0_ = Buffer(queue, bytes(states));
  if (has_cell_state(config.cell)) {
    c_n_ = Buffer(queue, bytes(states));
    dc0_ = Buffer(queue, bytes(states));
  }
  d_parameters_ =
      Buffer(queue, static_cast<std::size_t>(parameter_count(recurrent_parameters(config))) *
                        size_of(state_type(config.data_type)));
  const std::vector<unsigned char> ones(nan_bytes, 0xFF);
  upload(queue, nan_.data(), ones.data(), nan_bytes);
  set_layout(layout);
}

void DevicePass::set_layout(const SequenceLayout& layout) {
  layout_ = &layout;
  sequences_ = layout.upload(queue_, layout_memory_.data());
  synchronize(queue_);
}

void DevicePass::forward() const {
  RecurrentForwardArgs args;
  args.sequences = sequences_;
  args.parameters = inputs_.parameters.data();
  args.x = inputs_.x.data();
  args.h0 = inputs_.h0.data();
  args.c0 = c_n_.data() == nullptr ? nullptr : inputs_.c0.data();
  args.y = y_.data();
  args.h_n = h_n_.data();
  args.c_n = c_n_.data();
  args.reserve = reserve_.data();
  args.workspace = workspace_.data();
  plan_.forward(queue_, args);
}

void DevicePass::backward() const {
  RecurrentBackwardArgs args;
  args.sequences = sequences_;
  args.parameters = inputs_.parameters.data();
  args.x = inputs_.x.data();
  args.h0 = inputs_.h0.data();
  args.c0 = c_n_.data() == nullptr ? nullptr : inputs_.c0.data();
  args.y = y_.data();
  args.dy = inputs_.dy.data();
  args.dh_n = inputs_.dh_n.data();
  args.dc_n = c_n_.data() == nullptr ? nullptr : inputs_.dc_n.data();
  args.dx = dx_.data();
  args.dh0 = dh0_.data();
  args.dc0 = dc0_.data();
  args.d_parameters = d_parameters_.data();
  args.reserve = reserve_.data();
  args.workspace = workspace_.data();
  plan_.backward(queue_, args);
}

void DevicePass::spoil() const {
  for (const Buffer* buffer :
       {&y_, &h_n_, &c_n_, &dx_, &dh0_, &dc0_, &d_parameters_, &workspace_, &reserve_}) {
    if (buffer->bytes() == 0) continue;
    const std::size_t first = std::min(nan_bytes, buffer->bytes());
    copy(queue_, buffer->data(), nan_.data(), first);
    repeat(queue_, buffer->data(), first, buffer->bytes());
  }
}

std::vector<DeviceOutput> DevicePass::outputs() const {
  const RecurrentConfig& config = plan_.config();
  const std::int64_t rows = layout_->rows(), states = state_count(config, layout_->batch());
  std::vector<DeviceOutput> all;
  const auto add = [&](const char* name, std::int64_t count, const Buffer& buffer) {
    if (buffer.data() != nullptr)
      all.push_back({name, config.data_type, count, config.hidden_size, buffer.data()});
  };
  add("y", rows * config.output_size(), y_);
  add("h_n", states, h_n_);
  add("c_n", states, c_n_);
  add("dx", rows * config.input_size, dx_);
  add("dh0", states, dh0_);
  add("dc0", states, dc0_);
  const DataType type = state_type(config.data_type);
  for (const ParameterView& view : recurrent_parameters(config)) {
    all.push_back({"d_" + view.name, type, view.size(), rows,
                   d_parameters_.as<unsigned char>() +
                       static_cast<std::size_t>(view.offset) * size_of(type)});
  }
  return all;
}

void download(const Queue& queue, const DeviceOutput& output, std::vector<unsigned char>& to) {
  to.resize(output.bytes());
  sluice::download(queue, to.data(), output.data, output.bytes());
  synchronize(queue);
}

void download(const Queue& queue, const DevicePass& pass, OutputBytes& to) {
  for (const DeviceOutput& output : pass.outputs()) download(queue, output, to[output.name]);
}

std::string other_bits(const OutputBytes& a, const OutputBytes& b) {
  for (const auto& [name, bytes] : a) {
    const auto found = b.find(name);
    if (found == b.end() || found->second != bytes) return name;
  }
  return "";
}

std::uint64_t hash_of(const std::vector<unsigned char>& bytes) {
  constexpr int lanes = 4;  // so that no word waits for the one before
  std::uint64_t hash[lanes] = {1, 2, 3, 4};
  constexpr std::size_t step = lanes * sizeof(std::uint64_t);
  std::size_t at = 0;
  for (; at + step <= bytes.size(); at += step) {
    std::uint64_t words[lanes];
    std::memcpy(words, bytes.data() + at, step);
    for (int i = 0; i < lanes; ++i)
      hash[i] = (hash[i] ^ words[i]) * 0x9E3779B97F4A7C15ull, hash[i] ^= hash[i] >> 29;
  }
  for (; at < bytes.size(); ++at) hash[0] = (hash[0] ^ bytes[at]) * 0x100000001B3ull;
  std::uint64_t all = bytes.size();
  for (const std::uint64_t each : hash)
    all = (all ^ each) * 0xBF58476D1CE4E5B9ull, all ^= all >> 31;
  return all;
}

Difference difference(DataType type, const std::vector<unsigned char>& a,
                      const std::vector<unsigned char>& b) {
  return with_number(type, [&]<class Number>(Number) {
    double largest = 0.0, apart = 0.0, sum_apart = 0.0, sum = 0.0;
    const std::size_t count = std::min(a.size(), b.size()) / sizeof(Number);
    for (std::size_t i = 0; i < count; ++i) {
      Number one, other;
      std::memcpy(&one, a.data() + i * sizeof(Number), sizeof(Number));
      std::memcpy(&other, b.data() + i * sizeof(Number), sizeof(Number));
      const auto expected = static_cast<double>(widen(other)),
                 away = static_cast<double>(widen(one)) - expected;
      sum_apart += away * away;
      sum += expected * expected;
      apart = std::max(apart, std::abs(away));
      largest = std::max(largest, std::abs(expected));
    }
    if (!std::isfinite(sum_apart) || !std::isfinite(sum) || a.size() != b.size())
      return Difference{NAN, NAN};
    return Difference{largest > 0.0 ? apart / largest : apart,
                      sum > 0.0 ? std::sqrt(sum_apart / sum) : std::sqrt(sum_apart)};
  });
}

double allowed_difference(DataType type, MatrixMath math, std::int64_t terms) {
  switch (type) {
    case DataType::bfloat16: return 16 * 0x1p-8;
    case DataType::float16: return 16 * 0x1p-11;
    case DataType::float64:
      return 16 * 0x1p-53 * std::sqrt(static_cast<double>(std::max<std::int64_t>(terms, 64)));
    case DataType::float32: break;
  }
  if (math == MatrixMath::tf32) return 16 * 0x1p-11;
  return 16 * 0x1p-24 * std::sqrt(static_cast<double>(std::max<std::int64_t>(terms, 64)));
}

double allowed_mean_difference(DataType type, MatrixMath math, std::int64_t terms) {
  const bool tf32 = type == DataType::float32 && math == MatrixMath::tf32;
  return allowed_difference(type, math, terms) / (tf32 ? 2 : 8);
}

}  // namespace sluice::test
