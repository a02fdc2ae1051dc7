// What kernels/time_loops/cell_step.cu does to the units beside the cell's equations: masks and
// what wraps a cell. Only for .cu files.
#pragma once

#include <cstdint>

#include "kernels/cells/unit_options.h"

namespace sluice::cuda::cell_steps {

/// Of a step whose kernel is compiled with or without a mask.
template <bool masked>
struct MaskAlone {
  __device__ __forceinline__ static constexpr bool has_mask(const void*) { return masked; }
  template <class C, class T>
  __device__ __forceinline__ void forward(Unit<C, T>& u, std::int64_t, std::int64_t) const {
    C::forward(u);
  }
  template <class C, class T>
  __device__ __forceinline__ void backward(Unit<C, T>& u, std::int64_t, std::int64_t) const {
    C::backward(u);
  }
};

/// Whether a cell has a kernel with a mask alone, as each has one without.
template <class C>
constexpr bool has_masked = C::spec.recurrent_matrix;

/// All that there may be, and is looked for at run time: a mask, and what wraps a cell.
struct AllOptions {
  UnitDraws draws;
  std::uint32_t step;
  const std::int32_t* order;

  template <class Args>
  explicit AllOptions(const Args& args)
      : draws(args.draws), step(static_cast<std::uint32_t>(args.step)), order(args.order) {}

  __device__ __forceinline__ static bool has_mask(const void* mask) { return mask != nullptr; }
  template <class C, class T>
  __device__ __forceinline__ void forward(Unit<C, T>& u, std::int64_t row,
                                          std::int64_t unit) const {
    C::forward(u);
    if (!wraps<C>()) return;
    T drawn[Wrapped<C>::numbers];
    draw(row, unit, drawn);
    Wrapped<C>::after_forward(u, drawn);
  }
  template <class C, class T>
  __device__ __forceinline__ void backward(Unit<C, T>& u, std::int64_t row,
                                           std::int64_t unit) const {
    T kept[Wrapped<C>::kept_numbers] = {};
    if (wraps<C>()) {
      T drawn[Wrapped<C>::numbers];
      draw(row, unit, drawn);
      Wrapped<C>::before_backward(u, drawn, kept);
    }
    C::backward(u);
    if (wraps<C>()) Wrapped<C>::after_backward(u, kept);
  }

 private:
  /// Where all others have kernels of their own, it does.
  template <class C>
  __device__ __forceinline__ bool wraps() const {
    return has_masked<C> || draws.wrap();
  }
  template <class T, int numbers>
  __device__ __forceinline__ void draw(std::int64_t row, std::int64_t unit,
                                       T (&drawn)[numbers]) const {
    const auto given = static_cast<std::uint32_t>(order == nullptr ? row : order[row]);
    for_each_index<numbers>([&](auto i) {
      drawn[i] = draws.template number<T>(i, step, given, static_cast<std::uint32_t>(unit));
    });
  }
};

}  // namespace sluice::cuda::cell_steps
