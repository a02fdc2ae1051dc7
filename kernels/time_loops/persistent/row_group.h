// What forward and backward kernels are told alike, and where a block finds itself in it: its group
// of batch rows, the steps that group takes, the block's units. Only for .cu files.
#pragma once

#include <cstdint>

#include "kernels/cells/unit_options.h"
#include "kernels/time_loops/persistent/exchange.h"
#include "kernels/time_loops/persistent/stationary_matrix.h"

namespace sluice::cuda {

struct GroupLaunch {
  int batch, hidden_size;
  const std::int32_t* offsets;  ///< see kernels/base/sequences.h
  const std::int32_t* lengths;
  const std::int32_t* order;  ///< null: as given
  int blocks;                 ///< of a group
  int tiles;                  ///< of a block
  int directions;             ///< of this launch
  int first_direction;
  int first_group;              ///< this launch's first group of rows
  float mask_rate, mask_scale;  ///< of the mask on R's input
  int mask_planes;              ///< of its masks in shared memory
  sluice::Cell cell;            ///< whose equations, of those alike to the kernel's
};

/// One direction, as its arguments say it.
struct GroupDirection {
  const uint4* packed;
  void* exchange;  ///< GridExchange's memory, of all groups one after the other
  unsigned* flags;
  UnitDraws draws;
  std::int32_t begin, end;
  bool reverse;  ///< the kernel goes from the last step to the first
};

/// Blocks [group * blocks, (group + 1) * blocks) of the grid are a group; groups take the
/// directions by turns and the rows from the longest on.
template <class Tiling>
struct RowGroup {
  int direction, number, rank;
  int first_row, rows;  ///< sorted rows; rows <= Tiling::rows
  std::int32_t first_step = 0, steps = 0;

  __device__ explicit RowGroup(const GroupLaunch& launch) {
    const int group = static_cast<int>(blockIdx.x) / launch.blocks;
    rank = static_cast<int>(blockIdx.x) - group * launch.blocks;
    number = group / launch.directions;
    direction = launch.first_direction + group - number * launch.directions;
    first_row = (launch.first_group + number) * Tiling::rows;
    rows = min(Tiling::rows, launch.batch - first_row);
  }

  /// The steps of [begin, end) at which the group's longest row is alive.
  __device__ void take_steps(const GroupLaunch& launch, const GroupDirection& of) {
    first_step = of.begin;
    steps = max(0, min(of.end, launch.lengths[first_row]) - of.begin);
  }
  __device__ std::int32_t step(const GroupDirection& of, int s) const {
    return of.reverse ? first_step + steps - 1 - s : first_step + s;
  }
};

/// The parts of a block's dynamic shared memory.
template <class Product, class Tiling, int planes>
struct SharedParts {
  using Operand = typename Product::Operand;

  geometry::SharedLayout layout;
  unsigned char* base;

  __device__ SharedParts(unsigned char* memory, const geometry::StationaryShape& matrix, int tiles,
                         int mask_planes)
      : layout(matrix,
               {.tiles = tiles,
                .split = Tiling::split,
                .row_tiles = Tiling::row_tiles,
                .resident = geometry::resident_chunks(Tiling::resident_words, planes,
                                                      Product::tensor_cores),
                .buffers = Tiling::buffers,
                .mask_planes = mask_planes},
               Product::tensor_cores),
        base(memory) {}

  __device__ uint4* weights() const { return reinterpret_cast<uint4*>(base + layout.weights); }
  __device__ unsigned char* operand(int step) const {
    constexpr int buffers = Tiling::buffers;
    return base + layout.operand +
           (buffers == 1 ? 0 : step % buffers * (Tiling::rows * layout.stride));
  }
  __device__ float* partial(const WarpPlace& place) const {
    constexpr int of_tile = Tiling::split * Tiling::row_tiles * 4 * 32 * planes;
    return reinterpret_cast<float*>(base + layout.partial) + place.tile * of_tile;
  }
  __device__ std::uint32_t* masks() const {
    return reinterpret_cast<std::uint32_t*>(base + layout.masks);
  }

  __device__ std::uint64_t* barriers() const {
    return reinterpret_cast<std::uint64_t*>(base + layout.barriers);
  }

  /// All buffers of the operand, so that columns past the units multiply zero weights by zero.
  __device__ void zero_operand() const {
    const int pieces = Tiling::buffers * Tiling::rows * layout.stride / geometry::piece_bytes;
    for (int i = static_cast<int>(threadIdx.x); i < pieces; i += static_cast<int>(blockDim.x)) {
      reinterpret_cast<uint4*>(base + layout.operand)[i] = uint4{0, 0, 0, 0};
    }
  }
  /// Number k of row `row`.
  __device__ static Operand& at(unsigned char* operand, int stride, int row, int k) {
    return reinterpret_cast<Operand*>(operand + row * stride)[k];
  }
};

/// This block's columns of an operand of `matrix`.
template <class Product>
__device__ Columns columns_of(const geometry::StationaryShape& matrix, int stride, int rows,
                              int live_rows, int rank, int tiles) {
  constexpr int tile_bytes =
      geometry::tile_units * static_cast<int>(sizeof(typename Product::Operand));
  const int own_tiles = max(0, min(tiles, matrix.unit_tiles - rank * tiles));
  return {.rows = rows,
          .stride = stride,
          .live_rows = live_rows,
          .segments = matrix.segments,
          .segment_bytes = matrix.segment_chunks * geometry::chunk_bytes,
          .first_byte = rank * tiles * tile_bytes,
          .bytes = own_tiles * tile_bytes,
          .used_bytes = matrix.unit_tiles * tile_bytes};
}

}  // namespace sluice::cuda
