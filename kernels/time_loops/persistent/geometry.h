// How a persistent kernel divides its work: the stationary matrix into tiles and chunks, a block's
// shared memory into parts. Host and device compute the same numbers here.
//
// The stationary matrix is R (forward: rows are units, G gates each; K = H) or R^T (backward: rows
// are units; K = G segments of H). A warp holds a tile, 16 units of all planes, over chunks of K.
// A chunk is 64 bytes of an operand's row: what two tensor-core products, or 16 steps of FFMA,
// take.
//
// Backward over the grid, on tensor cores, it is R by the blocks' own units instead
// (PersistentMatrix::scattered): each block multiplies its gates' gradients by their rows of R and
// scatters the products to the blocks whose units they are. The G times larger operand is never
// gathered.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/host_device.h"
#include "kernels/time_loops/persistent/persistent_launch.h"

namespace sluice::persistent {

inline constexpr int tile_units = 16;  ///< units of a tile
inline constexpr int tile_rows = 8;    ///< batch rows of a product
inline constexpr int chunk_bytes = 64;
inline constexpr int piece_bytes = 16;      ///< what a thread loads at once
inline constexpr int fragment_pieces = 64;  ///< of one plane of a tile over one chunk

SLUICE_HOST_DEVICE constexpr int divide_up(int a, int b) { return (a + b - 1) / b; }

/// The matrix of one direction, zero-padded to whole tiles and chunks. Packed as pieces
/// [unit tile][chunk][plane][fragment_pieces], each fragment in the order of the product's lanes.
struct StationaryShape {
  int unit_tiles = 0;
  int planes = 0;          ///< G forward, 1 backward
  int segments = 0;        ///< 1 forward, G backward
  int segment_chunks = 0;  ///< chunks of H numbers

  SLUICE_HOST_DEVICE constexpr int chunks() const { return segments * segment_chunks; }
  SLUICE_HOST_DEVICE constexpr std::int64_t pieces() const {
    return std::int64_t{unit_tiles} * chunks() * planes * fragment_pieces;
  }
};

constexpr PersistentMatrix backward_matrix(PersistentKind kind, bool tensor_cores) {
  return kind == PersistentKind::grid && tensor_cores ? PersistentMatrix::scattered
                                                      : PersistentMatrix::columns;
}

/// Chunks that a tile's gates take in the operand of a scattering product.
SLUICE_HOST_DEVICE constexpr int scatter_chunks(int gates, int number_bytes) {
  return divide_up(gates * tile_units * number_bytes, chunk_bytes);
}
/// Scattered: for each tile of the block's units, for each tile of the products' units, the chunks
/// of the former's gates.
SLUICE_HOST_DEVICE constexpr StationaryShape stationary_shape(PersistentMatrix matrix,
                                                              int hidden_size, int gates,
                                                              int number_bytes) {
  const int tiles = divide_up(hidden_size, tile_units);
  const int segment = divide_up(hidden_size * number_bytes, chunk_bytes);
  switch (matrix) {
    case PersistentMatrix::rows: return {tiles, gates, 1, segment};
    case PersistentMatrix::columns: return {tiles, 1, gates, segment};
    case PersistentMatrix::scattered: return {tiles, 1, tiles, scatter_chunks(gates, number_bytes)};
    case PersistentMatrix::none: break;
  }
  return {};
}
/// A gate of a tile's unit in that operand. Each tensor-core product takes one gate, that is,
/// 16-bit numbers lie by fours of two gates in turn.
struct ScatterPlace {
  int gate = 0, unit = 0;

  SLUICE_HOST_DEVICE static constexpr ScatterPlace of_number(int k, int number_bytes) {
    if (number_bytes == 4) return {k / tile_units, k % tile_units};
    return {k / 32 * 2 + k % 8 / 4, k % 32 / 8 * 4 + k % 4};
  }
  SLUICE_HOST_DEVICE constexpr int number(int number_bytes) const {
    if (number_bytes == 4) return gate * tile_units + unit;
    return gate / 2 * 32 + unit / 4 * 8 + gate % 2 * 4 + unit % 4;
  }
};

/// How a kernel is cut, beside the matrix: `split` warps share a tile's chunks, warp w of them
/// takes chunks w, w + split, ..., its first `resident` ones in registers.
struct Cut {
  int tiles = 0;  ///< unit tiles of a block, each with `split` warps
  int split = 1;
  int row_tiles = 1;  ///< batch rows of a group / tile_rows
  int resident = 0;
  int buffers = 2;          ///< of the operand
  int operand_padding = 0;  ///< bytes by which an operand's rows are apart more than need be
  int mask_planes = 0;      ///< G where the operand is masked (forward), else 0

  SLUICE_HOST_DEVICE constexpr int rows() const { return row_tiles * tile_rows; }
  SLUICE_HOST_DEVICE constexpr int threads() const { return tiles * split * 32; }
};

/// What of a cut a kernel is compiled for.
struct TilingNumbers {
  int split = 1, row_tiles = 1;
  int resident_words = 0;  ///< a thread's registers for weights
  int buffers = 2;
  int most_threads = 0;  ///< so that its registers suffice
};

/// Which kernel of a cell and a kind of arithmetic; the last three are PersistentKernel's.
struct TilingChoice {
  PersistentKind kind;
  int gates;
  bool much_used;  ///< see CellSpec
  bool tensor_cores;
  int number_bytes;
  bool wide = false, small = false, options = false;
};

/// A block alone holds few chunks, and a warp has a tile's; where there are many, four warps share
/// them. `wide` groups take 16 rows instead of 8; `small` blocks have registers for more weights.
/// On tensor cores a block of the grid has one tile, which eight warps share, for 16 or 32 rows.
constexpr TilingNumbers tiling_numbers(const TilingChoice& choice) {
  const auto [kind, gates, much_used, tensor_cores, number_bytes, wide, small, options] = choice;
  if (kind == PersistentKind::grid && tensor_cores) {
    const int words = options ? 96 : !wide ? 128 : gates == 4 ? 32 : 80;
    return {.split = 8,
            .row_tiles = wide ? 4 : 2,
            .resident_words = words,
            .buffers = 1,
            .most_threads = 256};
  }
  TilingNumbers numbers;
  if (kind != PersistentKind::block) numbers.split = 4;
  if (wide) numbers.row_tiles = 2;
  if (kind == PersistentKind::grid) numbers.buffers = 1;
  if (small) {
    numbers.resident_words = wide ? 96 : 128;
    numbers.most_threads = 256;
  } else {
    const bool many = kind == PersistentKind::block && gates == 1;
    numbers.resident_words = many || (wide && gates == 4)              ? 16
                             : kind != PersistentKind::cluster || wide ? 32
                                                                       : 64;
    numbers.most_threads = many ? 512 : 384;
  }
  return numbers;
}
/// Of a kernel that scatters its products.
constexpr TilingNumbers scatter_numbers(const TilingChoice& choice) {
  return {.split = 8,
          .row_tiles = choice.wide ? 4 : 2,
          .resident_words = choice.options ? 64
                            : choice.wide  ? 80
                                           : 128,
          .buffers = 1,
          .most_threads = 256};
}
/// Registers of a thread at most, of a kernel with options that gathers; 0: as many as its threads
/// leave it. What options need they have without spilling, and no more than a kernel without: the
/// compiler alone takes what it finds.
constexpr int most_registers(const TilingChoice& choice, RecurrentPass pass) {
  const auto [kind, gates, much_used, tensor_cores, number_bytes, wide, small, options] = choice;
  const bool forward = pass == RecurrentPass::forward;
  if (!options || (gates == 1 && kind != PersistentKind::cluster)) return 0;
  switch (kind) {
    case PersistentKind::block: return tensor_cores && !(forward && gates == 4) ? 160 : 0;
    case PersistentKind::cluster: return !forward ? 120 + 8 * gates : gates == 1 ? 136 : 160;
    case PersistentKind::grid: return !forward ? 0 : tensor_cores ? 240 : 128;
  }
  return 0;
}
/// Whether a kernel is compiled, which costs processor time. Each cell has those with options,
/// which do without options too, by a branch: for the block, the grid and, where numbers of 2 bytes
/// let it hold much, the cluster. Cells that are much used have clusters in TF32 too, and beside
/// these kernels others without options, where registers hold more of R (`small`, or the grid's) or
/// groups are `wide`, as far as some shape of bench/predictions.md runs faster by it.
constexpr bool is_compiled(const TilingChoice& choice) {
  const auto [kind, gates, much_used, tensor_cores, number_bytes, wide, small, options] = choice;
  const bool halves = number_bytes == 2, cluster = kind == PersistentKind::cluster;
  if (options) return !wide && !small && (!cluster || halves || (much_used && tensor_cores));
  // Without tensor cores one gate's sums leave room that options would fill.
  if (kind == PersistentKind::grid && gates == 1 && !tensor_cores) return !small && !wide;
  if (!much_used) return false;
  switch (kind) {
    case PersistentKind::block: return tensor_cores && small && !wide;
    case PersistentKind::cluster: return halves ? small : !tensor_cores && !small && !wide;
    case PersistentKind::grid: return !small && (!wide || tensor_cores);
  }
  return false;
}

/// Chunks in registers, 8 words for each plane.
SLUICE_HOST_DEVICE constexpr int resident_chunks(int words, int planes, bool tensor_cores) {
  return tensor_cores ? words / (8 * planes) : 0;
}

/// Rows of an operand are so far apart that a warp's loads meet no bank twice.
SLUICE_HOST_DEVICE constexpr int operand_stride(int chunks, bool tensor_cores) {
  return tensor_cores ? (chunks | 1) * chunk_bytes : chunks * chunk_bytes + piece_bytes;
}

/// Of the flags with which a grid's exchange memory of a direction begins, rounded up.
constexpr std::size_t flag_bytes(int groups, int blocks) {
  const std::size_t bytes = static_cast<std::size_t>(groups) * static_cast<std::size_t>(blocks) * 4;
  return (bytes + 255) / 256 * 256;
}

/// So many blocks of a grid exchange at once at most, whatever the GPU.
inline constexpr int most_grid_blocks = 256;

/// Bytes that the blocks of a group scatter to each other in a step: [owner][source] tiles of
/// float32 sums, for an owner and a source each.
constexpr std::size_t scatter_bytes(int blocks, int row_tiles) {
  return std::size_t{512} * static_cast<std::size_t>(blocks) * static_cast<std::size_t>(blocks) *
         static_cast<std::size_t>(row_tiles);
}

/// Byte offsets of the dynamic shared memory of a block that scatters its products.
struct ScatterLayout {
  int weights = 0, operand = 0, partial = 0, masks = 0, total = 0;
  int stride = 0;        ///< between rows of the operand
  int shared_tiles = 0;  ///< of each warp: those not in registers

  /// `matrix`: of PersistentMatrix::scattered. `resident`: tiles of each warp that are.
  /// `mask_planes`: G or 0.
  SLUICE_HOST_DEVICE constexpr ScatterLayout(const StationaryShape& matrix,
                                             const TilingNumbers& tiling, int resident,
                                             int mask_planes) {
    const int most = divide_up(matrix.segments, tiling.split) - resident;
    const int rows = tiling.row_tiles * tile_rows;
    shared_tiles = most > 0 ? most : 0;
    stride = operand_stride(matrix.segment_chunks, true);
    operand = tiling.split * shared_tiles * matrix.segment_chunks * fragment_pieces * piece_bytes;
    partial = operand + rows * stride;
    masks = partial + tiling.split * tiling.row_tiles * 4 * 32 * 4;
    total = masks + mask_planes * rows * mask_words(matrix) * 4;
  }
  SLUICE_HOST_DEVICE static constexpr int mask_words(const StationaryShape& matrix) {
    return divide_up(matrix.segments * tile_units, 32);
  }
};

/// Byte offsets of a block's dynamic shared memory.
struct SharedLayout {
  int weights = 0, operand = 0, partial = 0, barriers = 0, masks = 0, total = 0;
  int stride = 0;         ///< between rows of the operand
  int shared_chunks = 0;  ///< of each warp: those not in registers

  SLUICE_HOST_DEVICE constexpr SharedLayout(const StationaryShape& matrix, const Cut& cut,
                                            bool tensor_cores) {
    stride = operand_stride(matrix.chunks(), tensor_cores);
    const int most = divide_up(matrix.chunks(), cut.split) - cut.resident;
    shared_chunks = most > 0 ? most : 0;
    weights = 0;
    operand = weights +
              cut.tiles * cut.split * shared_chunks * matrix.planes * fragment_pieces * piece_bytes;
    partial = operand + cut.buffers * cut.rows() * stride;
    const int sums =
        cut.split > 1 ? cut.tiles * cut.split * cut.row_tiles * 4 * 32 * matrix.planes : 0;
    barriers = partial + sums * 4;
    masks = barriers + 2 * 8;
    total = masks + cut.mask_planes * cut.rows() * mask_words(matrix) * 4;
  }
  /// 32 units a word, a chunk of 16-bit numbers.
  SLUICE_HOST_DEVICE static constexpr int mask_words(const StationaryShape& matrix) {
    return divide_up(matrix.segment_chunks * chunk_bytes, 2 * 32);
  }
};

}  // namespace sluice::persistent
