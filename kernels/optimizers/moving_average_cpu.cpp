#include "kernels/device/tiles.h"
#include "kernels/optimizers/moving_average.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kTile = 16384;

template <class T>
void update(const Queue& queue, const MovingAverageArgs& args) {
  const T share = static_cast<T>(1.0 - averaging_decay(args.decay, *args.step));
  auto* average = static_cast<T*>(args.average);
  const auto* parameters = static_cast<const T*>(args.parameters);
  parallel_tiles(queue, args.count, kTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) average[i] += share * (parameters[i] - average[i]);
  });
}

}  // namespace

void update_moving_average(const Queue& queue, const MovingAverageArgs& args) {
  args.type == DataType::float64 ? update<double>(queue, args) : update<float>(queue, args);
}

}  // namespace sluice::cpu
