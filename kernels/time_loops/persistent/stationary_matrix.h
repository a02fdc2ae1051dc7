// A warp's part of the stationary matrix: a compile-time number of chunks in registers, the others
// in shared memory, for all time steps. And the sum over the warps that share a tile.
// Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/product.h"

namespace sluice::cuda {

/// geometry::TilingNumbers as a type.
template <int split_, int row_tiles_, int resident_words_, int buffers_, int most_threads_>
struct Tiling {
  static constexpr int split = split_;
  static constexpr int row_tiles = row_tiles_;
  static constexpr int resident_words = resident_words_;
  static constexpr int buffers = buffers_;
  static constexpr int most_threads = most_threads_;
  static constexpr int rows = row_tiles * geometry::tile_rows;
  static constexpr int elements = 4 * row_tiles / split;  ///< (unit, row) pairs that a thread owns
  static_assert(elements >= 1 && elements * split == 4 * row_tiles);
};

/// Where a thread stands in its block.
struct WarpPlace {
  int lane, tile, split;  ///< tile of the block, warp of the tile

  template <class Tiling>
  __device__ static WarpPlace of_thread() {
    const int warp = static_cast<int>(threadIdx.x) / 32;
    return {static_cast<int>(threadIdx.x) % 32, warp / Tiling::split, warp % Tiling::split};
  }
};

template <class Product, class Tiling, int planes>
class StationaryMatrix {
  static constexpr int resident =
      geometry::resident_chunks(Tiling::resident_words, planes, Product::tensor_cores);

 public:
  /// `packed`: of the direction. `tile`: of the direction; past the last one the part is empty.
  /// The block must synchronise before the first product.
  __device__ StationaryMatrix(const uint4* packed, const geometry::StationaryShape& shape, int tile,
                              uint4* shared, int shared_chunks, const WarpPlace& place)
      : lane_(place.lane), split_(place.split) {
    const int chunks = shape.chunks();
    count_ = tile < shape.unit_tiles && split_ < chunks
                 ? (chunks - split_ + Tiling::split - 1) / Tiling::split
                 : 0;
    const int part = (place.tile * Tiling::split + place.split) * shared_chunks;
    shared_ = shared + part * fragment;
    const uint4* const mine = packed + (std::int64_t{tile} * chunks + split_) * fragment;
    if constexpr (resident > 0) {
#pragma unroll
      for (int j = 0; j < resident; ++j) {
#pragma unroll
        for (int p = 0; p < planes; ++p) {
          if (j < count_) {
            resident_[j][p] = Product::load_fragment(
                mine + (j * Tiling::split * planes + p) * geometry::fragment_pieces, lane_);
          }
        }
      }
    }
    for (int j = resident; j < count_; ++j) {
      for (int i = lane_; i < fragment; i += 32) {
        shared_[(j - resident) * fragment + i] = mine[j * Tiling::split * fragment + i];
      }
    }
  }

  /// sums += this warp's chunks times the operand, whose row 0 begins at `operand`.
  template <bool masks>
  __device__ __forceinline__ void multiply(Sums<planes, Tiling::row_tiles>& sums,
                                           const unsigned char* operand, int stride,
                                           const MaskOf<planes, Tiling::row_tiles>& mask) const {
    for_each_chunk([&](int chunk, auto weights) {
      Product::template multiply<masks>(sums, weights, operand, stride, chunk, mask, lane_);
    });
  }

  /// Of one plane: sums += each chunk's product, kept where keep(segment of K, row tile, j) says so
  /// (a mask on R's input, backward: it is on the result, another one for each gate).
  template <class Keep>
  __device__ __forceinline__ void multiply_kept(Sums<1, Tiling::row_tiles>& sums,
                                                const unsigned char* operand, int stride,
                                                int segment_chunks, Keep keep) const {
    for_each_chunk([&](int chunk, auto weights) {
      Sums<1, Tiling::row_tiles> of_chunk = {};
      Product::template multiply<false>(of_chunk, weights, operand, stride, chunk, {}, lane_);
      const int segment = chunk / segment_chunks;
#pragma unroll
      for (int n = 0; n < Tiling::row_tiles; ++n) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          if (keep(segment, n, j)) sums[0][n][j] += of_chunk[0][n][j];
        }
      }
    });
  }

 private:
  static constexpr int fragment = planes * geometry::fragment_pieces;  // pieces of all planes

  /// Calls use(chunk, weights), weights(p) being plane p's fragment of it.
  template <class Use>
  __device__ __forceinline__ void for_each_chunk(Use use) const {
    if constexpr (resident > 0) {
#pragma unroll
      for (int j = 0; j < resident; ++j) {
        if (j < count_) use(split_ + j * Tiling::split, [&](int p) { return resident_[j][p]; });
      }
    }
#pragma unroll 1
    for (int j = resident; j < count_; ++j) {
      const uint4* const weights = shared_ + (j - resident) * fragment;
      use(split_ + j * Tiling::split, [&](int p) {
        return Product::load_fragment(weights + p * geometry::fragment_pieces, lane_);
      });
    }
  }

  typename Product::Fragment resident_[resident > 0 ? resident : 1][planes];
  uint4* shared_;
  int count_, lane_, split_;
};

/// Adds up what the warps of a tile have, always in the same order, and deals the sums out: warp w
/// gets elements [w * elements, (w + 1) * elements) of each lane's. With one warp a tile nothing
/// moves. `shared`: the tile's part. The block synchronises inside.
template <class Tiling, int planes>
__device__ __forceinline__ void add_up(const Sums<planes, Tiling::row_tiles>& sums, float* shared,
                                       const WarpPlace& place,
                                       float (&own)[Tiling::elements][planes]) {
  constexpr int split = Tiling::split, elements = Tiling::elements;
  if constexpr (split == 1) {
#pragma unroll
    for (int e = 0; e < elements; ++e) {
#pragma unroll
      for (int p = 0; p < planes; ++p) own[e][p] = sums[p][e / 4][e % 4];
    }
  } else {
    const auto at = [&](int to, int from, int e, int p) -> float& {
      return shared[(((to * split + from) * elements + e) * planes + p) * 32 + place.lane];
    };
    float mine[elements][planes] = {};
#pragma unroll
    for (int to = 0; to < split; ++to) {
#pragma unroll
      for (int e = 0; e < elements; ++e) {
#pragma unroll
        for (int p = 0; p < planes; ++p) {
          const int i = to * elements + e;
          const float sum = sums[p][i / 4][i % 4];
          if (to == place.split) {
            mine[e][p] = sum;
          } else {
            at(to, place.split, e, p) = sum;
          }
        }
      }
    }
    __syncthreads();
#pragma unroll
    for (int e = 0; e < elements; ++e) {
#pragma unroll
      for (int p = 0; p < planes; ++p) {
        float sum = 0.0f;
#pragma unroll
        for (int from = 0; from < split; ++from) {
          sum += from == place.split ? mine[e][p] : at(place.split, from, e, p);
        }
        own[e][p] = sum;
      }
    }
  }
}

/// The (unit, row) pairs that a thread owns: where in its group its elements are.
template <class Tiling>
struct Elements {
  int first_unit, first_row_of_lane, split;

  /// `tile`: of the direction.
  __device__ Elements(const WarpPlace& place, int tile)
      : first_unit(tile * geometry::tile_units + place.lane / 4),
        first_row_of_lane(place.lane % 4 * 2),
        split(place.split) {}

  __device__ int unit(int e) const { return unit_of_sum(split * Tiling::elements + e); }
  __device__ int row(int e) const { return row_of_sum(split * Tiling::elements + e); }
  /// Of a lane's sum i = row tile * 4 + j.
  __device__ int unit_of_sum(int i) const { return first_unit + i % 4 / 2 * 8; }
  __device__ int row_of_sum(int i) const {
    return i / 4 * geometry::tile_rows + first_row_of_lane + i % 2;
  }
};

}  // namespace sluice::cuda
