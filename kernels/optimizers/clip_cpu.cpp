#include "kernels/optimizers/clip.h"

#include "kernels/device/tiles.h"
#include "kernels/optimizers/clip_factor.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kTile = 16384;

template <class T>
void clip_values(const Queue& queue, const ClipByValueArgs& args) {
  T* x = static_cast<T*>(args.x);
  const T limit = static_cast<T>(args.limit);
  parallel_tiles(queue, args.count, kTile, [&](std::int64_t i, std::int64_t end) {
    for (; i < end; ++i) x[i] = clipped(x[i], limit);
  });
}

template <class T>
void scale(const Queue& queue, std::int64_t count, void* numbers, double factor) {
  if (factor == 1.0) return;
  T* x = static_cast<T*>(numbers);
  const T scale = static_cast<T>(factor);
  parallel_tiles(queue, count, kTile, [&](std::int64_t i, std::int64_t end) {
    for (; i < end; ++i) x[i] *= scale;
  });
}

void scale(const Queue& queue, DataType type, std::int64_t count, void* x, double factor) {
  type == DataType::float64 ? scale<double>(queue, count, x, factor)
                            : scale<float>(queue, count, x, factor);
}

}  // namespace

void clip_by_value(const Queue& queue, const ClipByValueArgs& args) {
  args.type == DataType::float64 ? clip_values<double>(queue, args)
                                 : clip_values<float>(queue, args);
}

void clip_by_global_norm(const Queue& queue, const ClipByGlobalNormArgs& args) {
  scale(queue, args.type, args.count, args.x, global_norm_factor(*args.squared_sum, args.limit));
}

void clip_by_norm(const Queue& queue, const ClipByNormArgs& args) {
  scale(queue, args.type, args.count, args.x, norm_factor(*args.squared_sum, args.limit));
}

}  // namespace sluice::cpu
