// The product of a stationary matrix with a streamed operand, for each kind of arithmetic, and
// where the matrix's numbers lie for it. Only for .cu files.
//
// A warp multiplies a tile, 16 units of `planes`, with `row_tiles` times 8 batch rows. Whatever the
// arithmetic, lane l with g = l / 4 and q = l % 4 ends with sums[plane][row tile][j] of unit
// g + 8 (j / 2) and batch row 2q + j % 2.
#pragma once

#include "kernels/time_loops/persistent/geometry.h"
#include "kernels/time_loops/persistent/mma.h"

namespace sluice::cuda {

namespace geometry = sluice::persistent;

template <int planes, int row_tiles>
using Sums = float[planes][row_tiles][4];

/// Which numbers of the operand's rows are kept, another set for each plane (a mask on R's input).
/// Words of 32 numbers lie apart the most, so that all else of an address is known at compile time.
template <int planes, int rows>
struct OperandMask {
  const std::uint32_t* bits = nullptr;  ///< [words, planes, rows] shared

  /// From number `k` of a row on, as far as its word goes.
  __device__ __forceinline__ std::uint32_t at(int plane, int row, int k) const {
    return bits[word(plane, row, k)] >> (static_cast<unsigned>(k) % 32);
  }
  /// `count` of them, of 4 or 8, from number `k` + `count` * `piece` on, in the word of `k`, which
  /// begins a byte.
  template <int count>
  __device__ __forceinline__ std::uint32_t piece_at(int plane, int row, int k, int piece) const {
    constexpr int in_byte = 8 / count;
    const auto first = static_cast<int>(static_cast<unsigned>(k) % 32 / 8);
    const std::uint32_t byte = reinterpret_cast<const unsigned char*>(
        bits)[word(plane, row, k) * 4 + first + piece / in_byte];
    return in_byte == 1 ? byte : byte >> (piece % in_byte * count);
  }

 private:
  __device__ __forceinline__ static int word(int plane, int row, int k) {
    const auto words = static_cast<int>(static_cast<unsigned>(k) / 32);
    return words * (planes * rows) + plane * rows + row;
  }
};

template <int planes, int row_tiles>
using MaskOf = OperandMask<planes, row_tiles * geometry::tile_rows>;

/// Keeps the numbers of a piece whose bits are set.
template <int number_bytes>
__device__ __forceinline__ uint4 keep_numbers(uint4 piece, std::uint32_t bits) {
  std::uint32_t words[4] = {piece.x, piece.y, piece.z, piece.w};
#pragma unroll
  for (int w = 0; w < 4; ++w) {
    if constexpr (number_bytes == 2) {
      words[w] &= ((bits >> (2 * w) & 1) != 0 ? 0x0000FFFFu : 0u) |
                  ((bits >> (2 * w + 1) & 1) != 0 ? 0xFFFF0000u : 0u);
    } else {
      words[w] = (bits >> w & 1) != 0 ? words[w] : 0u;
    }
  }
  return {words[0], words[1], words[2], words[3]};
}

/// Tensor cores. Within a chunk the two products take their k's so that a lane's numbers of a batch
/// row are the 16 bytes at its q: one load for both.
template <class Stored, class Multiplied>
struct TensorProduct {
  using Number = Stored;  ///< of the arrays in memory
  using Operand = Stored;
  static constexpr bool tensor_cores = true;
  static constexpr int numbers_in_piece = geometry::piece_bytes / sizeof(Operand);

  __device__ static Operand operand(float x) {
    if constexpr (std::is_same_v<Multiplied, Tf32>) {
      return round_to_tf32(x);
    } else {
      return narrow<Operand>(x);
    }
  }

  /// Number i of piece p of a fragment: its unit and its k within tile and chunk.
  __device__ static int unit_of(int piece, int i) {
    constexpr int in_word = numbers_in_piece / 4;
    return piece % 32 / 4 + 8 * (i / in_word % 2);
  }
  __device__ static int k_of(int piece, int i) {
    constexpr int in_word = numbers_in_piece / 4;
    return piece % 4 * numbers_in_piece + piece / 32 * 2 * in_word + i / (2 * in_word) * in_word +
           i % in_word;
  }

  struct Fragment {
    uint4 piece[2];
  };
  /// From a fragment's first piece, in shared or global memory.
  __device__ static Fragment load_fragment(const uint4* fragment, int lane) {
    return {{fragment[lane], fragment[32 + lane]}};
  }

  /// A lane's numbers of a chunk for row tile n.
  __device__ __forceinline__ static uint4 load_rows(const unsigned char* operand, int stride,
                                                    int chunk, int n, int lane) {
    return *reinterpret_cast<const uint4*>(operand + (n * geometry::tile_rows + lane / 4) * stride +
                                           chunk * geometry::chunk_bytes +
                                           lane % 4 * geometry::piece_bytes);
  }
  /// sums += one of a chunk's two products; `rows`: of load_rows().
  __device__ __forceinline__ static void multiply_half(float (&sums)[4], const Fragment& weights,
                                                       int which, const uint4& rows) {
    if (which == 0) {
      multiply_add<Multiplied>(sums, weights.piece[0], rows.x, rows.y);
    } else {
      multiply_add<Multiplied>(sums, weights.piece[1], rows.z, rows.w);
    }
  }

  /// sums += weights(plane) times the operand's numbers of chunk `chunk`.
  template <bool masks, int planes, int row_tiles, class Weights>
  __device__ __forceinline__ static void multiply(Sums<planes, row_tiles>& sums, Weights weights,
                                                  const unsigned char* operand, int stride,
                                                  int chunk, const MaskOf<planes, row_tiles>& mask,
                                                  int lane) {
    uint4 rows[row_tiles];
#pragma unroll
    for (int n = 0; n < row_tiles; ++n) rows[n] = load_rows(operand, stride, chunk, n, lane);
#pragma unroll
    for (int p = 0; p < planes; ++p) {
      const Fragment fragment = weights(p);
      uint4 kept[row_tiles];
#pragma unroll
      for (int n = 0; n < row_tiles; ++n) {
        kept[n] = rows[n];
        if constexpr (masks) {
          const std::uint32_t of_piece = mask.template piece_at<numbers_in_piece>(
              p, n * geometry::tile_rows + lane / 4, chunk * (4 * numbers_in_piece), lane % 4);
          kept[n] = keep_numbers<sizeof(Operand)>(rows[n], of_piece);
        }
        multiply_add<Multiplied>(sums[p][n], fragment.piece[0], kept[n].x, kept[n].y);
      }
#pragma unroll
      for (int n = 0; n < row_tiles; ++n) {
        multiply_add<Multiplied>(sums[p][n], fragment.piece[1], kept[n].z, kept[n].w);
      }
    }
  }
};

/// IEEE float32 by FFMA: a lane's 2 units by 2 rows, 4 k's at a time. A fragment's piece holds 4
/// k's of a unit: [k / 4][unit].
struct FloatProduct {
  using Number = float;
  using Operand = float;
  static constexpr bool tensor_cores = false;
  static constexpr int numbers_in_piece = 4;
  static constexpr int quads = geometry::chunk_bytes / geometry::piece_bytes;

  __device__ static float operand(float x) { return x; }
  __device__ static int unit_of(int piece, int) { return piece % geometry::tile_units; }
  __device__ static int k_of(int piece, int i) { return piece / geometry::tile_units * 4 + i; }

  struct Fragment {
    const float4* first;  ///< of the lane's first unit
  };
  __device__ static Fragment load_fragment(const uint4* fragment, int lane) {
    return {reinterpret_cast<const float4*>(fragment) + lane / 4};
  }

  template <bool masks, int planes, int row_tiles, class Weights>
  __device__ __forceinline__ static void multiply(Sums<planes, row_tiles>& sums, Weights weights,
                                                  const unsigned char* operand, int stride,
                                                  int chunk, const MaskOf<planes, row_tiles>& mask,
                                                  int lane) {
    const unsigned char* const first =
        operand + lane % 4 * 2 * stride + chunk * geometry::chunk_bytes;
#pragma unroll 2  // more at once would not fit the registers
    for (int i = 0; i < quads; ++i) {
#pragma unroll
      for (int n = 0; n < row_tiles; ++n) {
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          const int row = n * geometry::tile_rows + r;
          const float4 x = reinterpret_cast<const float4*>(first + row * stride)[i];
#pragma unroll
          for (int p = 0; p < planes; ++p) {
            float4 kept = x;
            if constexpr (masks) {
              const std::uint32_t bits =
                  mask.at(p, row + lane % 4 * 2, (chunk * quads + i) * numbers_in_piece);
              if ((bits & 1) == 0) kept.x = 0.0f;
              if ((bits & 2) == 0) kept.y = 0.0f;
              if ((bits & 4) == 0) kept.z = 0.0f;
              if ((bits & 8) == 0) kept.w = 0.0f;
            }
#pragma unroll
            for (int u = 0; u < 2; ++u) {
              const float4 w = weights(p).first[i * geometry::tile_units + u * 8];
              float& sum = sums[p][n][2 * u + r];
              sum += w.x * kept.x;
              sum += w.y * kept.y;
              sum += w.z * kept.z;
              sum += w.w * kept.w;
            }
          }
        }
      }
    }
  }
};

}  // namespace sluice::cuda
