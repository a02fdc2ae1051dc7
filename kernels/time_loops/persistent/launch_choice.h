// From what the fit decided to the kernel compiled for it. Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/backward_kernel.h"
#include "kernels/time_loops/persistent/forward_kernel.h"
#include "kernels/time_loops/persistent/persistent_launch.h"

namespace sluice::cuda {

template <PersistentKind kind>
struct ExchangeOf {
  using type = BlockExchange;
};
template <>
struct ExchangeOf<PersistentKind::cluster> {
  using type = ClusterExchange;
};
template <>
struct ExchangeOf<PersistentKind::grid> {
  using type = GridExchange;
};

template <geometry::TilingNumbers numbers>
struct TilingOf {
  using type = Tiling<numbers.split, numbers.row_tiles, numbers.resident_words, numbers.buffers,
                      numbers.most_threads>;
};

/// A kernel's template arguments but for the product.
template <class Product, class Cell_, PersistentKind kind_, bool wide, bool small, bool options_>
struct Variant {
  using Cell = Cell_;
  static constexpr geometry::TilingChoice choice = {
      .kind = kind_,
      .gates = Cell::spec.gates,
      .much_used = Cell::spec.much_used,
      .tensor_cores = Product::tensor_cores,
      .number_bytes = sizeof(typename Product::Operand),
      .wide = wide,
      .small = small,
      .options = options_};
  using Tiling = typename TilingOf<geometry::tiling_numbers(choice)>::type;
  using Exchange = typename ExchangeOf<kind_>::type;
  static constexpr bool options = options_;
  /// Backward: the products are scattered instead of the gradients gathered.
  static constexpr bool scatters =
      geometry::backward_matrix(kind_, Product::tensor_cores) == PersistentMatrix::scattered;
  using ScatterTiling = typename TilingOf<geometry::scatter_numbers(choice)>::type;
};

/// Calls use(std::bool_constant<flag>()).
template <class Use>
void with_flag(bool flag, Use use) {
  if (flag) return use(std::true_type());
  use(std::false_type());
}

template <class Product, class Cell, PersistentKind kind, class Use>
void with_variant_of_kind(const PersistentKernel& kernel, Use use) {
  with_flag(kernel.options, [&](auto options) {
    with_flag(kernel.wide, [&](auto wide) {
      with_flag(kernel.small, [&](auto small) {
        using V = Variant<Product, Cell, kind, wide, small, options>;
        if constexpr (geometry::is_compiled(V::choice)) use(V());
      });
    });
  });
}

/// Calls use(Variant()) for the fit's kernel, which holds a matrix.
template <class Product, class Use>
void with_variant(const PersistentLaunch& fit, Use use) {
  with_cell(fit.request.shape.cell, [&]<class Cell>(Cell) {
    if constexpr (Cell::spec.recurrent_matrix && !Cell::spec.two_phases()) {
      using First = typename AlikeCells<Cell>::First;
      switch (fit.request.kind) {
        case PersistentKind::block:
          return with_variant_of_kind<Product, First, PersistentKind::block>(fit.kernel, use);
        case PersistentKind::cluster:
          return with_variant_of_kind<Product, First, PersistentKind::cluster>(fit.kernel, use);
        case PersistentKind::grid:
          return with_variant_of_kind<Product, First, PersistentKind::grid>(fit.kernel, use);
      }
    }
  });
}

/// What both passes' launches have in common, from a direction's arguments.
template <class Args>
void fill(GroupLaunch& launch, const PersistentLaunch& fit, const Args& args) {
  launch.batch = static_cast<int>(fit.request.batch);
  launch.hidden_size = static_cast<int>(fit.request.shape.hidden_size);
  launch.offsets = args.recurrence.sequences.offsets;
  launch.lengths = args.recurrence.sequences.lengths;
  launch.order = args.recurrence.sequences.order;
  launch.blocks = fit.blocks;
  launch.tiles = fit.tiles;
  const RecurrentMaskDraws& mask = args.recurrence.draws.mask;
  launch.mask_rate = static_cast<float>(mask.rate);
  launch.mask_scale = static_cast<float>(mask.scale());
  launch.mask_planes = fit.mask_planes;
  launch.cell = fit.request.shape.cell;
}

template <class Args>
void fill(GroupDirection& direction, const PersistentLaunch& fit, const Args& args,
          bool against_order) {
  direction.packed = static_cast<const uint4*>(args.recurrence.packed);
  direction.flags = static_cast<unsigned*>(args.exchange);
  direction.exchange = args.exchange == nullptr ? nullptr
                                                : static_cast<unsigned char*>(args.exchange) +
                                                      geometry::flag_bytes(fit.groups, fit.blocks);
  direction.draws = args.recurrence.draws;
  direction.begin = args.recurrence.begin;
  direction.end = args.recurrence.end;
  direction.reverse = args.recurrence.reverse != against_order;
}

/// Launches all groups, or where they must be resident at once, as many at a time as are: of both
/// directions, or if need be of one after the other.
template <class Kernel, class Launch>
void launch_groups(const Queue& queue, const PersistentLaunch& fit, Kernel kernel,
                   Launch& arguments) {
  const PersistentRequest& request = fit.request;
  const bool grid = request.kind == PersistentKind::grid;
  const bool together = !grid || fit.groups_at_once >= request.directions;
  arguments.directions = together ? request.directions : 1;
  const int at_once = together ? fit.groups_at_once / arguments.directions : fit.groups_at_once;
  const int most = grid ? at_once : fit.groups;
  for (int d = 0; d < request.directions; d += arguments.directions) {
    arguments.first_direction = d;
    for (int first = 0; first < fit.groups; first += most) {
      arguments.first_group = first;
      const int left = fit.groups - first;
      const int groups = (left < most ? left : most) * arguments.directions;
      const auto blocks = static_cast<unsigned>(fit.blocks);
      launch(kernel,
             {.grid = static_cast<unsigned>(groups) * blocks,
              .block = static_cast<unsigned>(fit.threads),
              .shared_bytes = fit.shared_bytes,
              .stream = queue.stream,
              .cooperative = grid,
              .cluster = request.kind == PersistentKind::cluster ? dim3(blocks) : dim3(1)},
             arguments);
    }
  }
}

}  // namespace sluice::cuda
