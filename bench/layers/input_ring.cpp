#include "bench/layers/input_ring.h"

#include <algorithm>
#include <vector>

#include "bench/layers/random_numbers.h"
#include "kernels/base/number.h"
#include "kernels/device/device.h"
#include "kernels/device/parallel_for.h"

namespace sluice::bench {
namespace {

constexpr std::int64_t kAlignment = 64;  // numbers

std::int64_t aligned(std::int64_t count) {
  return (count + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

InputRing::InputRing(const Queue& queue, std::size_t cache_bytes)
    : queue_(queue), cache_bytes_(cache_bytes) {}

void InputRing::reserve(DataType type, std::int64_t elements) {
  const auto over_cache =
      static_cast<std::int64_t>((cache_bytes_ + cache_bytes_ / 4) / size_of(type));
  const std::int64_t numbers = 2 * aligned(std::max(aligned(elements), aligned(over_cache)));
  if (type == type_ && numbers <= numbers_) return;
  type_ = type;
  numbers_ = numbers;
  memory_.reserve(queue_, static_cast<std::size_t>(numbers) * size_of(type));
  constexpr std::int64_t kSlice = 1 << 20;
  const std::int64_t slices = (numbers + kSlice - 1) / kSlice;
  auto fill = [&](std::int64_t slice) {
    const std::int64_t begin = slice * kSlice, count = std::min(kSlice, numbers - begin);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) values[i] = random_number(Stream::inputs, begin + i);
    upload_numbers(queue_, memory_.as<std::byte>() + begin * size_of(type), type, values.data(),
                   count);
  };
  if (queue_.device == DeviceKind::cpu) {
    parallel_for(queue_, slices, fill);
  } else {
    for (std::int64_t slice = 0; slice < slices; ++slice) fill(slice);
  }
}

const void* InputRing::at(std::int64_t begin, std::int64_t elements, std::uint64_t pass) const {
  const std::int64_t half = numbers_ / 2, piece = aligned(elements);
  const std::int64_t pieces = half / piece;
  const std::int64_t first = begin + static_cast<std::int64_t>(pass % pieces) * piece;
  return memory_.as<std::byte>() + first * size_of(type_);
}

const void* InputRing::piece(std::int64_t elements, std::uint64_t pass) const {
  return at(0, elements, pass);
}

const void* InputRing::second_piece(std::int64_t elements, std::uint64_t pass) const {
  return at(second_begin(), elements, pass);
}

void upload_numbers(const Queue& queue, void* device, DataType type, const float* numbers,
                    std::int64_t count) {
  with_number(type, [&]<class S>(S) {
    std::vector<S> stored(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) stored[i] = narrow<S>(numbers[i]);
    upload(queue, device, stored.data(), stored.size() * sizeof(S));
    synchronize(queue);
  });
}

void download_numbers(const Queue& queue, float* numbers, DataType type, const void* device,
                      std::int64_t count) {
  with_number(type, [&]<class S>(S) {
    std::vector<S> stored(static_cast<std::size_t>(count));
    download(queue, stored.data(), device, stored.size() * sizeof(S));
    synchronize(queue);
    for (std::int64_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(widen(stored[i]));
  });
}

}  // namespace sluice::bench
