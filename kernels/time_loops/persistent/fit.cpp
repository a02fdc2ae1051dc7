#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "kernels/time_loops/persistent/geometry.h"
#include "kernels/time_loops/persistent/persistent.h"

namespace sluice {
namespace {

using namespace persistent;

PersistentMatrix held_matrix(const PersistentRequest& request) {
  if (!spec_of(request.shape.cell).recurrent_matrix) return PersistentMatrix::none;
  if (request.pass == RecurrentPass::forward) return PersistentMatrix::rows;
  return backward_matrix(request.kind, uses_tensor_cores(request.shape));
}

StationaryShape shape_of(PersistentMatrix matrix, const RecurrenceShape& shape) {
  return stationary_shape(matrix, static_cast<int>(shape.hidden_size), gate_count(shape.cell),
                          static_cast<int>(size_of(shape.type)));
}

std::string compute_capability(int major) {
  return "it needs a GPU of compute capability " + std::to_string(major) + ".0 or newer";
}

/// What no cut can change; empty if nothing speaks against the request.
std::string obstacle(const PersistentLimits& limits, const PersistentRequest& request) {
  const RecurrenceShape& shape = request.shape;
  if (limits.multiprocessors == 0) return "there is no CUDA device";
  if (spec_of(shape.cell).two_phases()) {
    return std::string(name_of(shape.cell)) + " needs two products a step, one after the other";
  }
  if (spec_of(shape.cell).recurrent_matrix) {
    if (shape.type == DataType::float64) return "it has no float64";
    const int least = request.kind == PersistentKind::cluster ? 9 : 8;
    if (limits.major < least) return compute_capability(least);
  } else if (request.kind != PersistentKind::block) {
    return "blocks would have nothing to exchange, since " + std::string(name_of(shape.cell)) +
           " has no recurrent matrix: persistent_block takes it";
  }
  constexpr std::int64_t most_hidden = 1 << 14, most_batch = 1 << 24;
  if (shape.hidden_size > most_hidden)
    return "the hidden size is above " + std::to_string(most_hidden);
  if (request.batch > most_batch)
    return "the batch is above " + std::to_string(most_batch) + " rows";
  return "";
}

/// A kernel and its numbers.
struct Compiled {
  PersistentKernel kernel;
  TilingNumbers numbers;
};
/// The first of those compiled, the fastest first, for blocks of so many tiles; where they all have
/// too few threads, the last. None: `wide` ones are not compiled.
std::optional<Compiled> kernel_for(const PersistentRequest& request, bool wide, int tiles) {
  const CellSpec& spec = spec_of(request.shape.cell);
  std::optional<Compiled> found;
  for (const auto& [small, options] :
       {std::pair(true, false), std::pair(false, false), std::pair(false, true)}) {
    const TilingChoice choice{.kind = request.kind,
                              .gates = spec.gates,
                              .much_used = spec.much_used,
                              .tensor_cores = uses_tensor_cores(request.shape),
                              .number_bytes = static_cast<int>(size_of(request.shape.type)),
                              .wide = wide,
                              .small = small,
                              .options = options};
    if (!is_compiled(choice) || (request.options && !options)) continue;
    const PersistentMatrix matrix = held_matrix(request);
    found = Compiled{.kernel = {.matrix = matrix,
                                .tensor_cores = choice.tensor_cores,
                                .wide = wide,
                                .small = small,
                                .options = options},
                     .numbers = matrix == PersistentMatrix::scattered ? scatter_numbers(choice)
                                                                      : tiling_numbers(choice)};
    if (tiles * found->numbers.split * 32 <= found->numbers.most_threads) break;
  }
  return found;
}

/// A thread a unit of a row: blocks of 128, as many units wide as H needs, then rows.
PersistentFit units_cut(const PersistentLimits& limits, const PersistentRequest& request) {
  constexpr int threads = 128, threads_of_multiprocessor = 2048;
  const auto hidden = static_cast<int>(request.shape.hidden_size);
  int width = 32;
  while (width < hidden && width < threads) width *= 2;
  PersistentFit fit;
  fit.request = request;
  fit.kernel = {.matrix = PersistentMatrix::none, .options = request.options};
  fit.fits = true;
  fit.blocks = divide_up(hidden, width);
  fit.rows = threads / width;
  fit.groups = divide_up(static_cast<int>(request.batch), fit.rows);
  const int resident = limits.multiprocessors * (threads_of_multiprocessor / threads);
  fit.groups_at_once = std::max(1, resident / fit.blocks);
  fit.threads = threads;
  return fit;
}

/// One cut of a request, and what it costs.
PersistentFit cut(const PersistentLimits& limits, const PersistentRequest& request,
                  const Compiled& compiled, int blocks) {
  PersistentFit fit;
  fit.request = request;
  fit.kernel = compiled.kernel;
  const TilingNumbers& numbers = compiled.numbers;
  const StationaryShape matrix = shape_of(fit.kernel.matrix, request.shape);
  const int gates = gate_count(request.shape.cell);
  Cut parts;
  parts.tiles = divide_up(matrix.unit_tiles, blocks);
  parts.split = numbers.split;
  parts.row_tiles = numbers.row_tiles;
  parts.resident = resident_chunks(numbers.resident_words, matrix.planes, fit.kernel.tensor_cores);
  parts.buffers = numbers.buffers;
  const bool keeps_masks = fit.kernel.matrix != PersistentMatrix::columns;
  fit.mask_planes = parts.mask_planes = request.options && keeps_masks ? gates : 0;
  const int total =
      fit.kernel.scatters()
          ? ScatterLayout(matrix, numbers, numbers.resident_words / (8 * matrix.segment_chunks),
                          fit.mask_planes)
                .total
          : SharedLayout(matrix, parts, fit.kernel.tensor_cores).total;

  fit.blocks = blocks;
  fit.rows = parts.rows();
  fit.groups = static_cast<int>((request.batch + fit.rows - 1) / fit.rows);
  fit.tiles = parts.tiles;
  fit.threads = parts.threads();
  fit.shared_bytes = static_cast<std::size_t>(total);
  if (fit.kernel.tensor_cores)
    fit.kept_bytes = static_cast<std::size_t>(fit.threads * numbers.resident_words) * 4;
  if (fit.threads > numbers.most_threads) {
    fit.why_not = std::to_string(fit.threads) +
                  " threads a block are more than the registers for "
                  "its weights allow (" +
                  std::to_string(numbers.most_threads) + ")";
  } else if (fit.shared_bytes > limits.shared_bytes) {
    fit.why_not = "a block would need " + std::to_string(fit.shared_bytes) +
                  " bytes of shared memory, and the GPU gives it " +
                  std::to_string(limits.shared_bytes);
  }
  switch (request.kind) {
    case PersistentKind::block: fit.groups_at_once = limits.multiprocessors; break;
    case PersistentKind::cluster: {
      int power = 0;
      while (1 << power < blocks) ++power;
      fit.groups_at_once = limits.clusters[power];
      break;
    }
    case PersistentKind::grid:
      fit.groups_at_once = std::min(limits.multiprocessors, most_grid_blocks) / blocks;
      break;
  }
  if (fit.why_not.empty() && fit.groups_at_once < 1) {
    fit.why_not = "the GPU does not hold " + std::to_string(blocks) + " blocks of it at once";
  }
  fit.fits = fit.why_not.empty();
  return fit;
}

}  // namespace

bool uses_tensor_cores(const RecurrenceShape& shape) {
  return shape.type != DataType::float32 || shape.math == MatrixMath::tf32;
}

PersistentFit persistent_fit(const PersistentLimits& limits, const PersistentRequest& request) {
  PersistentFit none;
  none.request = request;
  none.why_not = obstacle(limits, request);
  if (!none.why_not.empty()) return none;
  if (held_matrix(request) == PersistentMatrix::none) return units_cut(limits, request);
  const int tiles = shape_of(held_matrix(request), request.shape).unit_tiles;
  PersistentFit best = none;
  // Fewest waves, then fewest rows, then by blocks.
  const auto rank = [&](const PersistentFit& fit) {
    const int blocks = request.kind == PersistentKind::cluster ? -fit.blocks : fit.blocks;
    return std::tuple(!fit.fits, fit.fits ? fit.waves() : 0, fit.rows, blocks);
  };
  const auto consider = [&](bool wide, int blocks) {
    const auto compiled = kernel_for(request, wide, divide_up(tiles, blocks));
    if (!compiled) return;
    const PersistentFit fit = cut(limits, request, *compiled, blocks);
    if (best.blocks == 0 || rank(fit) < rank(best)) best = fit;
  };
  for (const bool wide : {false, true}) {
    switch (request.kind) {
      case PersistentKind::block: consider(wide, 1); break;
      case PersistentKind::cluster:
        for (int blocks = 2; blocks <= 16; blocks *= 2) {
          // Not more blocks for the same shares.
          if (divide_up(tiles, blocks) < divide_up(tiles, blocks / 2)) consider(wide, blocks);
        }
        break;
      case PersistentKind::grid: {
        const int most_tiles = uses_tensor_cores(request.shape) ? 1 : 4;
        for (int of_block = 1; of_block <= most_tiles; ++of_block) {
          const int blocks = divide_up(tiles, of_block);
          if (blocks > 1) consider(wide, blocks);
        }
        break;
      }
    }
  }
  if (best.blocks == 0) {
    best.why_not = kernel_for(request, false, 1)
                       ? "the hidden size is too small to be divided among blocks"
                       : std::string(name_of(request.kind)) +
                             " is not compiled for this: it is for numbers of 16 bits, and of "
                             "cells that are much used for TF32, and without options for IEEE "
                             "float32; persistent_grid has all";
  }
  return best;
}

std::size_t persistent_weight_bytes(const PersistentRequest& request) {
  return static_cast<std::size_t>(shape_of(held_matrix(request), request.shape).pieces()) *
         piece_bytes;
}

std::size_t persistent_exchange_bytes(const PersistentRequest& request) {
  if (request.kind != PersistentKind::grid) return 0;
  const PersistentMatrix held = held_matrix(request);
  const StationaryShape matrix = shape_of(held, request.shape);
  constexpr int most_row_tiles = 4;  // of a group
  const auto batch = static_cast<int>(request.batch);
  const int groups = divide_up(batch, most_row_tiles * tile_rows);
  const std::size_t flags = flag_bytes(divide_up(batch, tile_rows), matrix.unit_tiles);
  if (held != PersistentMatrix::scattered) {
    return flags + 2 * static_cast<std::size_t>(groups * most_row_tiles * tile_rows) *
                       operand_stride(matrix.chunks(), uses_tensor_cores(request.shape));
  }
  const int at_once = std::max(1, std::min(groups, most_grid_blocks / matrix.unit_tiles));
  return flags +
         2 * static_cast<std::size_t>(at_once) * scatter_bytes(matrix.unit_tiles, most_row_tiles);
}

}  // namespace sluice
