#include <algorithm>
#include <tuple>

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
  if (shape.type == DataType::float64) return "it has no float64";
  const int least = request.kind == PersistentKind::cluster ? 9 : 8;
  if (limits.major < least) return compute_capability(least);
  constexpr std::int64_t most_hidden = 1 << 14, most_batch = 1 << 24;
  if (shape.hidden_size > most_hidden)
    return "the hidden size is above " + std::to_string(most_hidden);
  if (request.batch > most_batch)
    return "the batch is above " + std::to_string(most_batch) + " rows";
  return "";
}

/// The numbers of the kernel for blocks of so many tiles: the small one where there is one.
TilingNumbers tiling_of(const PersistentRequest& request, int tiles, PersistentKernel& kernel) {
  if (kernel.scatters()) return scatter_numbers(kernel.wide, kernel.options);
  TilingChoice choice{.kind = request.kind,
                      .gates = gate_count(request.shape.cell),
                      .tensor_cores = kernel.tensor_cores,
                      .wide = kernel.wide,
                      .small = true,
                      .options = kernel.options};
  const TilingNumbers numbers = tiling_numbers(choice);
  kernel.small = is_compiled(choice) && tiles * numbers.split * 32 <= numbers.most_threads;
  choice.small = kernel.small;
  return tiling_numbers(choice);
}

/// One cut of a request, and what it costs.
PersistentFit cut(const PersistentLimits& limits, const PersistentRequest& request, bool wide,
                  int blocks) {
  PersistentFit fit;
  fit.request = request;
  fit.kernel = {.matrix = held_matrix(request),
                .tensor_cores = uses_tensor_cores(request.shape),
                .wide = wide,
                .options = request.options};
  const StationaryShape matrix = shape_of(fit.kernel.matrix, request.shape);
  const int gates = gate_count(request.shape.cell);
  Cut parts;
  parts.tiles = divide_up(matrix.unit_tiles, blocks);
  const TilingNumbers numbers = tiling_of(request, parts.tiles, fit.kernel);
  parts.split = numbers.split;
  parts.row_tiles = numbers.row_tiles;
  parts.resident = resident_chunks(numbers.resident_words, matrix.planes, fit.kernel.tensor_cores);
  parts.buffers = numbers.buffers;
  const bool masks_operand = request.options && request.pass == RecurrentPass::forward;
  parts.mask_planes = masks_operand ? gates : 0;
  const int total =
      fit.kernel.scatters()
          ? ScatterLayout(matrix, numbers, numbers.resident_words / (8 * matrix.segment_chunks),
                          request.options ? gates : 0)
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
  const int tiles = shape_of(held_matrix(request), request.shape).unit_tiles;
  if (request.kind == PersistentKind::block) return cut(limits, request, false, 1);

  PersistentFit best = none;
  // Fewest waves, then fewest rows, then by blocks.
  const auto rank = [&](const PersistentFit& fit) {
    const int blocks = request.kind == PersistentKind::cluster ? -fit.blocks : fit.blocks;
    return std::tuple(!fit.fits, fit.fits ? fit.waves() : 0, fit.rows, blocks);
  };
  const bool tensor_cores = uses_tensor_cores(request.shape);
  const auto consider = [&](bool wide, int blocks) {
    const PersistentFit fit = cut(limits, request, wide, blocks);
    if (best.blocks == 0 || rank(fit) < rank(best)) best = fit;
  };
  for (const bool wide : {false, true}) {
    if (wide && !is_compiled({.kind = request.kind,
                              .gates = gate_count(request.shape.cell),
                              .tensor_cores = tensor_cores,
                              .wide = true,
                              .options = request.options})) {
      continue;
    }
    if (request.kind == PersistentKind::cluster) {
      for (int blocks = 2; blocks <= 16; blocks *= 2) {
        // Not more blocks for the same shares.
        if (divide_up(tiles, blocks) < divide_up(tiles, blocks / 2)) consider(wide, blocks);
      }
    } else {
      for (int of_block = 1; of_block <= (tensor_cores ? 1 : 4); ++of_block) {
        const int blocks = divide_up(tiles, of_block);
        if (blocks > 1) consider(wide, blocks);
      }
    }
  }
  if (best.blocks == 0) best.why_not = "the hidden size is too small to be divided among blocks";
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
