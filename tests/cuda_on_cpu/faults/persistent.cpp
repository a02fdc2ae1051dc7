// Faults of the persistent kernels' exchanges: the product's forward kernel, of a network whose
// sums are whole numbers, with an exchange or a launch that has one fault.
#include "kernels/cells/rnn.h"
#include "kernels/time_loops/persistent/forward_kernel.h"

#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

using namespace sluice::cuda;
namespace geometry = sluice::persistent;

constexpr int hidden = 40, batch = 5, steps = 4;  // three tiles of units, the last one not full

/// R: each unit gets its mirror image, so that all columns are needed.
float weight(int unit, int k) { return k == hidden - 1 - unit ? 1.0f : 0.0f; }

/// As persistent_pack() arranges R for FFMA.
std::vector<uint4> packed_weights() {
  const geometry::StationaryShape shape =
      geometry::stationary_shape(sluice::PersistentMatrix::rows, hidden, 1, sizeof(float));
  std::vector<float> numbers(static_cast<std::size_t>(shape.pieces()) * 4, 0.0f);
  for (int i = 0; i < static_cast<int>(numbers.size()); ++i) {
    const int piece = i / 4 % geometry::fragment_pieces,
              fragment = i / 4 / geometry::fragment_pieces;
    const int tile = fragment / shape.chunks(), chunk = fragment % shape.chunks();
    const int unit = tile * geometry::tile_units + FloatProduct::unit_of(piece, i % 4);
    const int k = chunk * 16 + FloatProduct::k_of(piece, i % 4);
    if (unit < hidden && k < hidden) numbers[static_cast<std::size_t>(i)] = weight(unit, k);
  }
  std::vector<uint4> pieces(numbers.size() / 4);
  std::memcpy(pieces.data(), numbers.data(), numbers.size() * sizeof(float));
  return pieces;
}

float input(int seed, int t, int row, int unit) {
  return static_cast<float>(seed + t * 7 + row * 3 + unit % 11);
}

std::vector<float> expected_h(int seed) {
  std::vector<float> h;
  for (int t = 0; t < steps; ++t) {
    for (int row = 0; row < batch; ++row) {
      for (int unit = 0; unit < hidden; ++unit) {
        const std::size_t before =
            h.size() - static_cast<std::size_t>(batch * hidden + 2 * unit - hidden + 1);
        h.push_back(input(seed, t, row, unit) + (t > 0 ? h[before] : 1.0f));
      }
    }
  }
  return h;
}

/// One launch after the other on the same exchange memory; the flags are lowered between them, if
/// at all.
template <class Tiling, class Exchange>
void run(int blocks, int tiles, int launches = 1, bool lower_flags = true) {
  constexpr bool cluster = std::is_base_of_v<ClusterExchange, Exchange>;
  constexpr bool grid = std::is_base_of_v<GridExchange, Exchange>;
  const geometry::StationaryShape shape =
      geometry::stationary_shape(sluice::PersistentMatrix::rows, hidden, 1, sizeof(float));
  const geometry::SharedLayout layout(shape,
                                      {.tiles = tiles,
                                       .split = Tiling::split,
                                       .row_tiles = 1,
                                       .resident = 0,
                                       .buffers = Tiling::buffers},
                                      false);
  std::vector<std::int32_t> starts;
  for (int t = 0; t <= steps; ++t) starts.push_back(t * batch);
  const DeviceArray<std::int32_t> offsets(starts), lengths(std::vector<std::int32_t>(batch, steps));
  const DeviceArray<uint4> packed(packed_weights());
  const DeviceArray<float> bias(std::vector<float>(hidden, 0.0f));
  const DeviceArray<float> columns(std::vector<float>(
      static_cast<std::size_t>(2 * geometry::tile_rows * layout.stride / 4), 0.0f));
  const std::vector<unsigned> low(static_cast<std::size_t>(blocks), 0u);
  const DeviceArray<unsigned> flags(low);
  for (int seed = 0; seed < launches; ++seed) {
    std::vector<float> x;
    for (int i = 0; i < steps * batch * hidden; ++i) {
      x.push_back(input(seed, i / (batch * hidden), i / hidden % batch, i % hidden));
    }
    const DeviceArray<float> gates(x), h(x.size()), state(std::vector<float>(batch * hidden, 1.0f));
    if (grid && lower_flags) {
      check(cudaMemsetAsync(flags.data(), 0, low.size() * sizeof(unsigned), nullptr),
            "lowering the flags");
    }
    ForwardLaunch<float> launch{};
    launch.batch = batch;
    launch.hidden_size = hidden;
    launch.offsets = offsets.data();
    launch.lengths = lengths.data();
    launch.blocks = blocks;
    launch.tiles = tiles;
    launch.directions = 1;
    launch.cell = sluice::Cell::rnn_relu;
    ForwardDirection<float>& direction = launch.direction[0];
    direction.packed = packed.data();
    direction.exchange = columns.data();
    direction.flags = flags.data();
    direction.end = steps;
    direction.gates = gates.data();
    direction.bias = bias.data();
    direction.h_state = state.data();
    direction.h = h.data();
    direction.ldh = hidden;
    const auto count = static_cast<unsigned>(blocks);
    sluice::cuda::launch(
        forward_kernel<sluice::RnnCell<true>, FloatProduct, Tiling, Exchange, false>,
        {.grid = {count},
         .block = {static_cast<unsigned>(tiles * Tiling::split * 32)},
         .shared_bytes = static_cast<std::size_t>(layout.total),
         .cooperative = grid,
         .cluster = cluster ? dim3(count) : dim3(1)},
        launch);
    expect_equal(h.get(), expected_h(seed));
  }
}

using BlockTiling = Tiling<1, 1, 0, 2, 384>;
using ClusterTiling = Tiling<4, 1, 0, 2, 384>;
using GridTiling = Tiling<4, 1, 0, 1, 384>;

/// The warps of a block write the next step's operand over the one that others still multiply.
PLANTED_FAULT(persistent_operand_overwritten_in_the_block) {
  run<Tiling<1, 1, 0, faulty ? 1 : 2, 384>, BlockExchange>(1, 3);
}

/// The same between the blocks of a cluster.
PLANTED_FAULT(persistent_cluster_with_one_buffer) {
  run<Tiling<4, 1, 0, faulty ? 1 : 2, 384>, ClusterExchange>(2, 2);
}

/// No barrier between a block's own columns and the next product.
template <bool faulty>
struct BlockExchangeWithoutBarrier : BlockExchange {
  using BlockExchange::BlockExchange;
  void finish(unsigned char* operand) {
    if constexpr (!faulty) BlockExchange::finish(operand);
  }
};
PLANTED_FAULT(persistent_block_without_barrier) {
  run<BlockTiling, BlockExchangeWithoutBarrier<faulty>>(1, 3);
}

/// Goes on to the next product without the other blocks' columns.
template <bool faulty>
struct ImpatientClusterExchange : ClusterExchange {
  using ClusterExchange::ClusterExchange;
  void finish(unsigned char* operand) {
    if constexpr (!faulty) ClusterExchange::finish(operand);
  }
};
PLANTED_FAULT(persistent_cluster_does_not_wait) {
  run<ClusterTiling, ImpatientClusterExchange<faulty>>(2, 2);
}

/// Expects another number of bytes than the other blocks send.
template <int more>
struct MiscountingClusterExchange : ClusterExchange {
  MiscountingClusterExchange(Columns columns, const GroupPlace& place, const ExchangeMemory& memory)
      : ClusterExchange(counted(columns), place, memory) {}
  static Columns counted(Columns columns) {
    columns.used_bytes += more;
    return columns;
  }
};
PLANTED_FAULT(persistent_cluster_expects_too_many_bytes) {
  run<ClusterTiling, MiscountingClusterExchange<faulty ? 16 : 0>>(
      4, 1);  // the last one without columns
}
PLANTED_FAULT(persistent_cluster_expects_too_few_bytes) {
  run<ClusterTiling, MiscountingClusterExchange<faulty ? -16 : 0>>(2, 2);
}

/// A block ends after its last product, though the others have still sent it columns.
template <bool faulty>
__global__ void last_round(float* out) {
  SLUICE_DYNAMIC_SHARED(unsigned char, memory);
  auto* const operand = reinterpret_cast<float*>(memory + 16);
  const int rank = static_cast<int>(blockIdx.x);
  ClusterExchange exchange({.rows = 1,
                            .stride = 64,
                            .live_rows = 1,
                            .segments = 1,
                            .segment_bytes = 64,
                            .first_byte = rank * 32,
                            .bytes = 32,
                            .used_bytes = 64},
                           {0, rank, 2},
                           {reinterpret_cast<std::uint64_t*>(memory), nullptr, nullptr});
  operand[threadIdx.x % 16] = static_cast<float>(rank);
  exchange.start();
  exchange.begin(memory + 16);
  if (faulty && rank == 0) return;
  exchange.finish(memory + 16);
  if (threadIdx.x < 16) out[rank * 16 + static_cast<int>(threadIdx.x)] = operand[threadIdx.x];
}
PLANTED_FAULT(persistent_block_leaves_its_cluster_early) {
  const DeviceArray<float> out(32);
  launch(last_round<faulty>, {.grid = {2}, .block = {32}, .shared_bytes = 80, .cluster = {2}},
         out.data());
  std::vector<float> expected;
  for (int i = 0; i < 32; ++i) expected.push_back(static_cast<float>(i / 8 % 2));
  expect_equal(out.get(), expected);
}

/// The grid's columns, with the faults that a class of its own needs.
enum class GridFault { none, flag_before_columns, flag_never_raised, no_wait };
template <GridFault fault>
struct FaultyGridExchange : GridExchange {
  FaultyGridExchange(const Columns& columns, const GroupPlace& place, const ExchangeMemory& memory)
      : GridExchange(columns, place, memory),
        own_flag(memory.flags + place.group * place.blocks + place.rank),
        rank(place.rank) {}
  void begin(unsigned char* operand) {
    if (fault == GridFault::flag_never_raised && rank == 1) return;
    if constexpr (fault == GridFault::flag_before_columns) {
      __syncthreads();
      if (threadIdx.x == 0) raise_flag(own_flag, ++rounds + 1);
    }
    GridExchange::begin(operand);
  }
  void finish(unsigned char* operand) {
    if constexpr (fault == GridFault::no_wait) {
      __syncthreads();
      return;
    }
    GridExchange::finish(operand);
  }
  unsigned* own_flag;
  int rank;
  unsigned rounds = 0;
};
PLANTED_FAULT(persistent_grid_flag_before_columns) {
  run<GridTiling, FaultyGridExchange<faulty ? GridFault::flag_before_columns : GridFault::none>>(3,
                                                                                                 1);
}
PLANTED_FAULT(persistent_grid_columns_race) { persistent_grid_flag_before_columns<faulty>(); }
PLANTED_FAULT(persistent_grid_flag_is_never_raised) {
  run<GridTiling, FaultyGridExchange<faulty ? GridFault::flag_never_raised : GridFault::none>>(3,
                                                                                               1);
}
PLANTED_FAULT(persistent_grid_does_not_wait) {
  run<GridTiling, FaultyGridExchange<faulty ? GridFault::no_wait : GridFault::none>>(3, 1);
}

/// A second launch finds the flags as the first one left them.
PLANTED_FAULT(persistent_grid_stale_flags) { run<GridTiling, GridExchange>(3, 1, 2, !faulty); }

}  // namespace
}  // namespace cuda_on_cpu::faults
