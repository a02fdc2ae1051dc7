#include "kernels/arrays/convert.h"

#include "kernels/base/number.h"
#include "kernels/device/tiles.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kTile = 16384;

template <class From, class To>
void run(const Queue& queue, const ConvertArgs& args) {
  const auto* from = static_cast<const From*>(args.from);
  auto* to = static_cast<To*>(args.to);
  parallel_tiles(queue, args.count, kTile, [=](std::int64_t i, std::int64_t end) {
    for (; i < end; ++i) to[i] = narrow<To>(widen(from[i]));
  });
}

}  // namespace

void convert(const Queue& queue, const ConvertArgs& args) {
  const bool widens = is_16_bit(args.from_type);
  with_number(widens ? args.from_type : args.to_type, [&]<class T>(T) {
    widens ? run<T, Wide<T>>(queue, args) : run<Wide<T>, T>(queue, args);
  });
}

}  // namespace sluice::cpu
