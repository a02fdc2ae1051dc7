#include <algorithm>
#include <tuple>

#include "kernels/persistent.h"
#include "kernels/persistent/geometry.h"

namespace sluice {
namespace {

using namespace persistent;

bool uses_tensor_cores(const RecurrenceShape& shape) {
  return shape.type != DataType::float32 || shape.math == MatrixMath::tf32;
}

StationaryShape matrix_of(const RecurrenceShape& shape, RecurrentPass pass) {
  return stationary_shape(static_cast<int>(shape.hidden_size), gate_count(shape.cell),
                          pass == RecurrentPass::backward, static_cast<int>(size_of(shape.type)));
}

std::string compute_capability(int major) {
  return "it needs a GPU of compute capability " + std::to_string(major) + ".0 or newer";
}

/// What no cut can change; empty if nothing speaks against the request.
std::string obstacle(const PersistentLimits& limits, const PersistentRequest& request) {
  const RecurrenceShape& shape = request.shape;
  if (limits.multiprocessors == 0) return "there is no CUDA device";
  if (shape.cell == Cell::gru_reset_before) {
    return "gru_reset_before needs two products a step, one after the other";
  }
  if (shape.type == DataType::float64) return "it has no float64";
  const int least = request.kind == PersistentKind::cluster ? 9 : 8;
  if (limits.major < least) return compute_capability(least);
  constexpr std::int64_t most_hidden = 1 << 14, most_batch = 1 << 24;
  if (shape.hidden_size > most_hidden) return "the hidden size is above " + std::to_string(most_hidden);
  if (request.batch > most_batch) return "the batch is above " + std::to_string(most_batch) + " rows";
  return "";
}

/// One cut of a request, and what it costs.
PersistentFit cut(const PersistentLimits& limits, const PersistentRequest& request, bool wide,
                  int blocks) {
  const bool tensor_cores = uses_tensor_cores(request.shape);
  const StationaryShape matrix = matrix_of(request.shape, request.pass);
  const int gates = gate_count(request.shape.cell);
  Cut parts;
  parts.tiles = divide_up(matrix.unit_tiles, blocks);
  TilingNumbers numbers;
  for (const bool small : {false, true}) {
    if (small && !has_small(request.kind, request.dropout)) continue;
    const TilingNumbers of_size = tiling_numbers(request.kind, wide, small, gates);
    if (!small || parts.tiles * of_size.split * 32 <= of_size.most_threads) numbers = of_size;
  }
  parts.split = numbers.split;
  parts.row_tiles = numbers.row_tiles;
  parts.resident = resident_chunks(numbers.resident_words, matrix.planes, tensor_cores);
  parts.buffers = numbers.buffers;
  const bool masks_operand = request.dropout && request.pass == RecurrentPass::forward;
  parts.dropout_planes = masks_operand ? gates : 0;
  const SharedLayout layout(matrix, parts, tensor_cores);

  PersistentFit fit;
  fit.blocks = blocks;
  fit.rows = parts.rows();
  fit.groups = static_cast<int>((request.batch + fit.rows - 1) / fit.rows);
  fit.tiles = parts.tiles;
  fit.threads = parts.threads();
  fit.shared_bytes = static_cast<std::size_t>(layout.total);
  if (fit.threads > numbers.most_threads) {
    fit.why_not = std::to_string(fit.threads) + " threads a block are more than the registers for "
                  "its weights allow (" + std::to_string(numbers.most_threads) + ")";
  } else if (fit.shared_bytes > limits.shared_bytes) {
    fit.why_not = "a block would need " + std::to_string(fit.shared_bytes) +
                  " bytes of shared memory, and the GPU gives it " + std::to_string(limits.shared_bytes);
  }
  switch (request.kind) {
    case PersistentKind::block: fit.groups_at_once = limits.multiprocessors; break;
    case PersistentKind::cluster: {
      int power = 0;
      while (1 << power < blocks) ++power;
      fit.groups_at_once = limits.clusters[power];
      break;
    }
    case PersistentKind::grid: fit.groups_at_once = limits.multiprocessors / blocks; break;
  }
  // In the grid's launch all groups must be resident, of each direction one at least.
  const int least = request.kind == PersistentKind::grid ? request.directions : 1;
  if (fit.why_not.empty() && fit.groups_at_once < least) {
    fit.why_not = "the GPU does not hold " + std::to_string(blocks * least) + " blocks of it at once";
  }
  fit.fits = fit.why_not.empty();
  return fit;
}

}  // namespace

PersistentFit persistent_fit(const PersistentLimits& limits, const PersistentRequest& request) {
  PersistentFit none;
  none.why_not = obstacle(limits, request);
  if (!none.why_not.empty()) return none;
  const int tiles = matrix_of(request.shape, request.pass).unit_tiles;
  if (request.kind == PersistentKind::block) return cut(limits, request, false, 1);

  PersistentFit best;
  // Fewest waves, then fewest rows, then by blocks.
  const auto rank = [&](const PersistentFit& fit) {
    const int blocks = request.kind == PersistentKind::cluster ? -fit.blocks : fit.blocks;
    return std::tuple(!fit.fits, fit.fits ? fit.waves(request.directions) : 0, fit.rows, blocks);
  };
  const auto consider = [&](bool wide, int blocks) {
    const PersistentFit fit = cut(limits, request, wide, blocks);
    if (best.blocks == 0 || rank(fit) < rank(best)) best = fit;
  };
  for (const bool wide : {false, true}) {
    if (wide && (request.dropout || !uses_tensor_cores(request.shape))) continue;
    if (request.kind == PersistentKind::cluster) {
      for (int blocks = 2; blocks <= 16; blocks *= 2) {
        // Not more blocks for the same shares.
        if (divide_up(tiles, blocks) < divide_up(tiles, blocks / 2)) consider(wide, blocks);
      }
    } else {
      for (int of_block = 1; of_block <= 4; ++of_block) {
        const int blocks = divide_up(tiles, of_block);
        if (blocks > 1) consider(wide, blocks);
      }
    }
  }
  if (best.blocks == 0) best.why_not = "the hidden size is too small to be divided among blocks";
  return best;
}

std::size_t persistent_weight_bytes(const RecurrenceShape& shape, RecurrentPass pass) {
  return static_cast<std::size_t>(matrix_of(shape, pass).pieces()) * piece_bytes;
}

std::size_t persistent_exchange_bytes(const PersistentRequest& request) {
  if (request.kind != PersistentKind::grid) return 0;
  const StationaryShape matrix = matrix_of(request.shape, request.pass);
  constexpr int most_rows = 2 * tile_rows;  // of a group
  const auto batch = static_cast<int>(request.batch);
  const std::size_t rows = static_cast<std::size_t>(divide_up(batch, most_rows)) * most_rows;
  return flag_bytes(divide_up(batch, tile_rows), matrix.unit_tiles) +
         2 * rows * operand_stride(matrix.chunks(), uses_tensor_cores(request.shape));
}

}  // namespace sluice
