// The backward pass over the grid on tensor cores (kernels/time_loops/persistent/persistent.h):
// each block multiplies the gradients by its units' gates with their rows of R, which it holds, and
// sends the products to the blocks whose units they belong to; each adds up what it gets, always in
// the same order. Only for .cu files.
#pragma once

#include "kernels/time_loops/persistent/backward_kernel.h"

namespace sluice::cuda {

/// The rows of R of a block's tile, as tiles of what they multiply into: warp w has those of the
/// units of blocks w, w + split, ..., the first `resident` of them in registers. `chunks`: of the
/// tile's gates.
template <class Product, class Tiling, int chunks>
class ScatterMatrix {
 public:
  static constexpr int resident = Tiling::resident_words / (8 * chunks);

  /// `packed`: of the block's tile. The block must synchronise before the first product.
  __device__ ScatterMatrix(const uint4* packed, int tiles, uint4* shared, int shared_tiles,
                           const WarpPlace& place)
      : shared_(shared + place.split * shared_tiles * of_tile),
        lane_(place.lane),
        split_(place.split) {
    count_ = split_ < tiles ? (tiles - split_ + Tiling::split - 1) / Tiling::split : 0;
    const uint4* const mine = packed + split_ * of_tile;
#pragma unroll
    for (int j = 0; j < resident; ++j) {
#pragma unroll
      for (int c = 0; c < chunks; ++c) {
        if (j < count_) {
          resident_[j][c] = Product::load_fragment(
              mine + (j * Tiling::split * chunks + c) * geometry::fragment_pieces, lane_);
        }
      }
    }
    for (int j = resident; j < count_; ++j) {
      for (int i = lane_; i < of_tile; i += 32) {
        shared_[(j - resident) * of_tile + i] = mine[j * Tiling::split * of_tile + i];
      }
    }
  }

  /// Calls use(owner, weights), weights(c) being chunk c for the units of block `owner`.
  template <class Use>
  __device__ __forceinline__ void for_each_owner(Use use) const {
#pragma unroll
    for (int j = 0; j < resident; ++j) {
      if (j < count_) use(split_ + j * Tiling::split, [&](int c) { return resident_[j][c]; });
    }
#pragma unroll 1
    for (int j = resident; j < count_; ++j) {
      const uint4* const weights = shared_ + (j - resident) * of_tile;
      use(split_ + j * Tiling::split, [&](int c) {
        return Product::load_fragment(weights + c * geometry::fragment_pieces, lane_);
      });
    }
  }

 private:
  static constexpr int of_tile = chunks * geometry::fragment_pieces;

  typename Product::Fragment resident_[resident][chunks];
  uint4* shared_;
  int count_, lane_, split_;
};

/// The products on their way: [2][owner][source][row tiles][lanes] of four sums, by turns, in a
/// group's part of the exchange memory. A block that writes a turn has got everyone's flag of the
/// turn before, which is raised after the last reading of this one.
class ScatterExchange {
 public:
  /// `slot`: of the group in the launch; `row_tiles`: of the kernel, of which `live` hold rows.
  __device__ ScatterExchange(const GroupPlace& place, int slot, const ExchangeMemory& memory,
                             int row_tiles, int live)
      : flags_(memory.flags, place),
        rank_(place.rank),
        blocks_(place.blocks),
        row_tiles_(row_tiles),
        live_(live),
        memory_(static_cast<uint4*>(memory.columns) + std::int64_t{slot} * 2 * turn()) {}

  __device__ __forceinline__ void send(int owner, int n, int lane, const float (&sums)[4]) const {
    if (n >= live_) return;
    store_global(memory_ + place(flags_.round(), owner, rank_, n) + lane,
                 uint4{__float_as_uint(sums[0]), __float_as_uint(sums[1]), __float_as_uint(sums[2]),
                       __float_as_uint(sums[3])});
  }
  __device__ void announce() { flags_.announce(); }
  __device__ void wait() { flags_.wait(); }
  /// sums += what block `source` sent in the round that was waited for.
  template <int row_tiles>
  __device__ __forceinline__ void add(Sums<1, row_tiles>& sums, int source, int lane) const {
#pragma unroll
    for (int n = 0; n < row_tiles; ++n) {
      if (n >= live_) continue;
      const uint4 part = load_global(memory_ + place(flags_.round() - 1, rank_, source, n) + lane);
      sums[0][n][0] += __uint_as_float(part.x);
      sums[0][n][1] += __uint_as_float(part.y);
      sums[0][n][2] += __uint_as_float(part.z);
      sums[0][n][3] += __uint_as_float(part.w);
    }
  }

 private:
  __device__ std::int64_t turn() const { return std::int64_t{blocks_} * blocks_ * row_tiles_ * 32; }
  __device__ std::int64_t place(unsigned round, int owner, int source, int n) const {
    return round % 2 * turn() + ((std::int64_t{owner} * blocks_ + source) * row_tiles_ + n) * 32;
  }

  GroupFlags flags_;
  int rank_, blocks_, row_tiles_, live_;
  uint4* memory_;
};

/// The gate whose gradients are in half `product` of chunk c of a tile's operand.
template <class Product>
constexpr int gate_of(int c, int product) {
  return sizeof(typename Product::Operand) == 4 ? c : 2 * c + product;
}

/// Calls use(c, product, weights(c)) for each half of a chunk that holds a gate, c and `product` at
/// compile time.
template <class Product, int gates, class Weights, class Use>
__device__ __forceinline__ void for_each_gate(Weights weights, Use use) {
  constexpr int chunks = geometry::scatter_chunks(gates, sizeof(typename Product::Operand));
  for_each_index<chunks>([&](auto c) {
    const typename Product::Fragment fragment = weights(c);
    for_each_index<2>([&](auto product) {
      if constexpr (gate_of<Product>(c, product) < gates) use(c, product, fragment);
    });
  });
}

template <class Cell, class Product, class Tiling, bool options>
__global__ void __launch_bounds__(Tiling::most_threads, 1)
    scatter_kernel(const __grid_constant__ BackwardLaunch<typename Product::Number> launch) {
  using Operand = typename Product::Operand;
  constexpr int gates = Cell::spec.gates, row_tiles = Tiling::row_tiles;
  constexpr int number_bytes = static_cast<int>(sizeof(Operand));
  constexpr int chunks = geometry::scatter_chunks(gates, number_bytes);
  SLUICE_DYNAMIC_SHARED(unsigned char, memory);
  RowGroup<Tiling> group(launch);
  const auto& direction = launch.direction[group.direction];
  group.take_steps(launch, direction);
  if (group.steps == 0) return;

  const geometry::StationaryShape shape = geometry::stationary_shape(
      PersistentMatrix::scattered, launch.hidden_size, gates, number_bytes);
  using Matrix = ScatterMatrix<Product, Tiling, chunks>;
  const geometry::ScatterLayout layout(shape, {.split = Tiling::split, .row_tiles = row_tiles},
                                       Matrix::resident, launch.mask_planes);
  unsigned char* const operand = memory + layout.operand;
  const int stride = layout.stride;
  const WarpPlace place = WarpPlace::of_thread<Tiling>();
  const Matrix matrix(
      direction.packed + std::int64_t{group.rank} * shape.chunks() * geometry::fragment_pieces,
      shape.unit_tiles, reinterpret_cast<uint4*>(memory + layout.weights), layout.shared_tiles,
      place);
  const Elements<Tiling> elements(place, group.rank);
  BackwardElements<Cell, Product, Tiling, options> state(launch, direction, group, elements);

  OperandMask<gates, Tiling::rows> mask;
  const bool masked = options && launch.mask_rate > 0.0f;
  if (masked) {
    mask = draw_mask<gates, Tiling::rows>(launch, direction.draws, group.first_row, group.rows,
                                          layout.mask_words(shape),
                                          reinterpret_cast<std::uint32_t*>(memory + layout.masks));
  }
  for (int i = static_cast<int>(threadIdx.x); i < Tiling::rows * stride / geometry::piece_bytes;
       i += static_cast<int>(blockDim.x)) {
    reinterpret_cast<uint4*>(operand)[i] = uint4{0, 0, 0, 0};
  }
  ScatterExchange exchange({launch.first_group + group.number, group.rank, launch.blocks},
                           group.number, {nullptr, direction.exchange, direction.flags}, row_tiles,
                           geometry::divide_up(group.rows, geometry::tile_rows));
  __syncthreads();

#pragma unroll 1
  for (int s = 0; s < group.steps; ++s) {
    state.draw(s);
    state.step(s);
#pragma unroll
    for (int e = 0; e < Tiling::elements; ++e) {
      const int unit = elements.unit(e) - group.rank * geometry::tile_units;
      for_each_index<gates>([&](auto g) {
        const int k = geometry::ScatterPlace{g, unit}.number(number_bytes);
        reinterpret_cast<Operand*>(operand + elements.row(e) * stride)[k] =
            Product::operand(state.template gradient<g>(e));
      });
    }
    __syncthreads();
    uint4 rows[chunks][row_tiles];
#pragma unroll
    for (int c = 0; c < chunks; ++c) {
#pragma unroll
      for (int n = 0; n < row_tiles; ++n) {
        rows[c][n] = Product::load_rows(operand, stride, c, n, place.lane);
      }
    }
    matrix.for_each_owner([&](int owner, auto weights) {
      float sums[row_tiles][4] = {};
      if (masked) {
        for_each_gate<Product, gates>(weights, [&](auto c, auto product, const auto& fragment) {
          constexpr int gate = gate_of<Product>(c, product);
#pragma unroll
          for (int n = 0; n < row_tiles; ++n) {
            float of_gate[4] = {};
            Product::multiply_half(of_gate, fragment, product, rows[c][n]);
#pragma unroll
            for (int r = 0; r < 2; ++r) {
              const int row = n * geometry::tile_rows + place.lane % 4 * 2 + r;
              const std::uint32_t kept =
                  mask.at(gate, row, owner * geometry::tile_units + place.lane / 4);
              if ((kept & 1) != 0) sums[n][r] += of_gate[r] * launch.mask_scale;
              if ((kept >> 8 & 1) != 0) sums[n][2 + r] += of_gate[2 + r] * launch.mask_scale;
            }
          }
        });
      } else {
        for_each_gate<Product, gates>(weights, [&](auto c, auto product, const auto& fragment) {
#pragma unroll
          for (int n = 0; n < row_tiles; ++n) {
            Product::multiply_half(sums[n], fragment, product, rows[c][n]);
          }
        });
      }
#pragma unroll
      for (int n = 0; n < row_tiles; ++n) exchange.send(owner, n, place.lane, sums[n]);
    });
    exchange.announce();
    state.store(s);
    state.load_inputs(s + 1);
    exchange.wait();
    Sums<1, row_tiles> sums = {};
#pragma unroll 4
    for (int source = place.split; source < launch.blocks; source += Tiling::split) {
      exchange.add(sums, source, place.lane);
    }
    float own[Tiling::elements][1];
    add_up<Tiling, 1>(sums, reinterpret_cast<float*>(memory + layout.partial), place, own);
    state.add(s, own);
  }
  state.store_state();
}

}  // namespace sluice::cuda
