// From a request at run time to the kernel compiled for it. Only for .cu files.
#pragma once

#include "kernels/base/error.h"
#include "kernels/sequences/dropout.h"
#include "kernels/time_loops/persistent/backward_kernel.h"
#include "kernels/time_loops/persistent/forward_kernel.h"
#include "kernels/time_loops/persistent/persistent.h"

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
template <class Product, class Cell_, PersistentKind kind_, bool wide, bool small, bool dropout_>
struct Variant {
  using Cell = Cell_;
  using Tiling = typename TilingOf<geometry::tiling_numbers({.kind = kind_,
                                                             .gates = Cell::gates,
                                                             .tensor_cores = Product::tensor_cores,
                                                             .wide = wide,
                                                             .small = small,
                                                             .dropout = dropout_})>::type;
  using Exchange = typename ExchangeOf<kind_>::type;
  static constexpr bool dropout = dropout_;
  /// Backward: the products are scattered instead of the gradients gathered.
  static constexpr bool scatters = kind_ == PersistentKind::grid && Product::tensor_cores;
  using ScatterTiling = typename TilingOf<geometry::scatter_numbers(wide, dropout_)>::type;
};

template <class Product, class Cell, PersistentKind kind, bool wide, bool dropout, class Use>
void with_size(const PersistentFit& fit, Use use) {
  if constexpr (geometry::has_small(kind, dropout)) {
    using Small = Variant<Product, Cell, kind, wide, true, dropout>;
    if (fit.threads <= Small::Tiling::most_threads) return use(Small());
  }
  use(Variant<Product, Cell, kind, wide, false, dropout>());
}

template <class Product, class Cell, PersistentKind kind, class Use>
void with_width(const PersistentRequest& request, const PersistentFit& fit, Use use) {
  if (request.dropout) return with_size<Product, Cell, kind, false, true>(fit, use);
  if constexpr (Product::tensor_cores && kind != PersistentKind::block) {
    using Narrow = Variant<Product, Cell, kind, false, false, false>;
    if (fit.rows > Narrow::Tiling::rows)
      return with_size<Product, Cell, kind, true, false>(fit, use);
  }
  with_size<Product, Cell, kind, false, false>(fit, use);
}

/// Calls use(Variant()) for the request.
template <class Product, class Cell, class Use>
void with_variant_of_cell(const PersistentRequest& request, const PersistentFit& fit, Use use) {
  switch (request.kind) {
    case PersistentKind::block:
      return with_width<Product, Cell, PersistentKind::block>(request, fit, use);
    case PersistentKind::cluster:
      return with_width<Product, Cell, PersistentKind::cluster>(request, fit, use);
    case PersistentKind::grid:
      return with_width<Product, Cell, PersistentKind::grid>(request, fit, use);
  }
}

template <class Product, class Use>
void with_variant(const PersistentRequest& request, const PersistentFit& fit, Use use) {
  switch (request.shape.cell) {
    case Cell::lstm: return with_variant_of_cell<Product, LstmCell>(request, fit, use);
    case Cell::gru: return with_variant_of_cell<Product, GruCell>(request, fit, use);
    case Cell::rnn_tanh: return with_variant_of_cell<Product, RnnCell<false>>(request, fit, use);
    case Cell::rnn_relu: return with_variant_of_cell<Product, RnnCell<true>>(request, fit, use);
    case Cell::gru_reset_before: break;
  }
  throw Error::usage("persistent kernels: gru_reset_before has none; use stepwise");
}

/// What both passes' launches have in common, from a direction's arguments.
template <class Args>
void fill(GroupLaunch& launch, const PersistentRequest& request, const PersistentFit& fit,
          const Args& args) {
  launch.batch = static_cast<int>(request.batch);
  launch.hidden_size = static_cast<int>(request.shape.hidden_size);
  launch.offsets = args.recurrence.sequences.offsets;
  launch.lengths = args.recurrence.sequences.lengths;
  launch.order = args.recurrence.sequences.order;
  launch.blocks = fit.blocks;
  launch.tiles = fit.tiles;
  launch.dropout_rate = static_cast<float>(args.dropout.rate);
  launch.dropout_scale = static_cast<float>(1.0 / (1.0 - args.dropout.rate));
}

template <class Args>
void fill(GroupDirection& direction, const PersistentFit& fit, const Args& args,
          bool against_order) {
  direction.packed = static_cast<const uint4*>(args.recurrence.packed);
  direction.flags = static_cast<unsigned*>(args.exchange);
  direction.exchange = args.exchange == nullptr ? nullptr
                                                : static_cast<unsigned char*>(args.exchange) +
                                                      geometry::flag_bytes(fit.groups, fit.blocks);
  direction.random = args.dropout.random;
  direction.begin = args.recurrence.begin;
  direction.end = args.recurrence.end;
  direction.reverse = args.recurrence.reverse != against_order;
}

/// Launches all groups, or where they must be resident at once, as many at a time as are: of both
/// directions, or if need be of one after the other.
template <class Kernel, class Launch>
void launch_groups(const Queue& queue, const PersistentRequest& request, const PersistentFit& fit,
                   Kernel kernel, Launch& arguments) {
  const bool grid = request.kind == PersistentKind::grid;
  const bool together = !grid || fit.groups_at_once >= request.directions;
  arguments.directions = together ? request.directions : 1;
  const int most = grid ? std::max(1, fit.groups_at_once / arguments.directions) : fit.groups;
  for (int d = 0; d < request.directions; d += arguments.directions) {
    arguments.first_direction = d;
    for (int first = 0; first < fit.groups; first += most) {
      arguments.first_group = first;
      const int groups = std::min(most, fit.groups - first) * arguments.directions;
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
