// Rounds of an exchange of the persistent kernels (kernels/time_loops/persistent/exchange.h), the
// product's own classes, with next to nothing between: each block's columns of the next round are,
// piece by piece, the next block's of this one, plus 1. Only for .cu files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/time_loops/persistent/exchange.h"
#include "tests/gpu/probes/device_timer.h"
#include "tests/gpu/probes/probe.h"

namespace sluice::probes {

inline constexpr int exchange_rows = 8;  // of an operand: a tile's
using persistent::piece_bytes;

struct RoundsLaunch {
  int blocks;       ///< of a group
  int row_bytes;    ///< of the operand
  int piece_shift;  ///< a row has 2^piece_shift pieces of each block
  int rounds;
  unsigned char* columns;  ///< the grid's, [groups][2][operand]
  unsigned* flags;         ///< the grid's, [groups][blocks], zero
  unsigned* wrong;         ///< numbers that are not what they must be after the last round
  Span* spans;             ///< [groups][blocks]
};

/// One buffer of the grid's, two of the others' by turns, then two barriers.
template <class Exchange>
__global__ void __launch_bounds__(256, 1)
    rounds_kernel(const __grid_constant__ RoundsLaunch launch) {
  constexpr int buffers = std::is_same_v<Exchange, cuda::GridExchange> ? 1 : 2;
  constexpr int at_once = 4;
  SLUICE_DYNAMIC_SHARED(unsigned char, memory);
  const int operand_bytes = exchange_rows * launch.row_bytes,
            share = launch.row_bytes / launch.blocks;
  const int rank = static_cast<int>(blockIdx.x) % launch.blocks,
            group = static_cast<int>(blockIdx.x) / launch.blocks;
  auto* const barriers = reinterpret_cast<std::uint64_t*>(memory + buffers * operand_bytes);
  Exchange exchange({.rows = exchange_rows,
                     .stride = launch.row_bytes,
                     .live_rows = exchange_rows,
                     .segments = 1,
                     .segment_bytes = launch.row_bytes,
                     .first_byte = rank * share,
                     .bytes = share,
                     .used_bytes = launch.row_bytes},
                    {group, rank, launch.blocks}, {barriers, launch.columns, launch.flags});
  const auto operand = [&](int round) { return memory + round % buffers * operand_bytes; };
  const int next = (rank + 1) % launch.blocks;
  const int pieces = exchange_rows << launch.piece_shift;  // of this block
  const auto place_of = [&](int i, int of_rank) {
    const int row = i >> launch.piece_shift, piece = i - (row << launch.piece_shift);
    return row * launch.row_bytes + of_rank * share + piece * piece_bytes;
  };
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  for (int i = thread; i < pieces; i += threads) {
    const auto value = static_cast<unsigned>(rank);
    *reinterpret_cast<uint4*>(operand(0) + place_of(i, rank)) = uint4{value, value, value, value};
  }
  exchange.start();

  const Stopwatch watch;
#pragma unroll 1
  for (int round = 0; round < launch.rounds; ++round) {
    exchange.begin(operand(round));
    exchange.finish(operand(round));
    const unsigned char* const received = operand(round);
    unsigned char* const sent = operand(round + 1);
#pragma unroll 1
    for (int first = thread; first < pieces; first += at_once * threads) {
      uint4 values[at_once] = {};
#pragma unroll
      for (int j = 0; j < at_once; ++j) {  // all loads before the first store
        const int i = first + j * threads;
        if (i < pieces) values[j] = *reinterpret_cast<const uint4*>(received + place_of(i, next));
      }
#pragma unroll
      for (int j = 0; j < at_once; ++j) {
        const int i = first + j * threads;
        uint4 value = values[j];
        value.x += 1, value.y += 1, value.z += 1, value.w += 1;
        if (i < pieces) *reinterpret_cast<uint4*>(sent + place_of(i, rank)) = value;
      }
    }
  }
  const Span span = watch.read();
  if (threadIdx.x == 0) launch.spans[blockIdx.x] = span;
  const auto expected =
      static_cast<unsigned>((rank + launch.rounds) % launch.blocks + launch.rounds);
  for (int i = thread; i < pieces; i += threads) {
    const uint4 value = *reinterpret_cast<const uint4*>(operand(launch.rounds) + place_of(i, rank));
    const bool right =
        value.x == expected && value.y == expected && value.z == expected && value.w == expected;
    if (!right) atomicAdd(launch.wrong, 1u);
  }
}

struct RoundsAsked {
  int blocks = 1, groups = 1;
  int bytes =
      2048;  ///< of the operand that each block gets: 128 times a power of 2 from each block
  int rounds = 10000;
};

struct RoundsTime {
  double microseconds = 0.0, ticks = 0.0;  ///< a round, of the slowest block
  double hertz = 0.0;                      ///< clocks a second meanwhile
  std::string wrong;                       ///< empty if every block ended with what it must
};

/// The median of `runs` launches.
template <class Exchange>
RoundsTime time_rounds(const RoundsAsked& asked, int runs = 3) {
  constexpr bool cluster = std::is_same_v<Exchange, cuda::ClusterExchange>;
  constexpr bool grid = std::is_same_v<Exchange, cuda::GridExchange>;
  const auto places =
      static_cast<std::size_t>(asked.blocks) * static_cast<std::size_t>(asked.groups);
  const auto bytes = static_cast<std::size_t>(asked.bytes);
  int piece_shift = 0;
  while (exchange_rows * asked.blocks * piece_bytes << piece_shift < asked.bytes) ++piece_shift;
  const Stream stream;
  const DeviceMemory columns(grid ? 2 * bytes * static_cast<std::size_t>(asked.groups) : 16);
  const DeviceArray<unsigned> flags(places), wrong(1);
  const DeviceArray<Span> spans(places);
  RoundsTime time;
  std::vector<double> microseconds, ticks, hertz;
  for (int run = 0; run < runs; ++run) {
    flags.zero(stream);
    cuda::launch(rounds_kernel<Exchange>,
                 {.grid = {static_cast<unsigned>(places)},
                  .block = {static_cast<unsigned>(full_or_small(256, 64))},
                  .shared_bytes = shared_bytes_of_a_lone_block((grid ? 1 : 2) * bytes + 16),
                  .stream = stream,
                  .cooperative = grid,
                  .cluster = cluster ? dim3(static_cast<unsigned>(asked.blocks)) : dim3(1)},
                 RoundsLaunch{asked.blocks, asked.bytes / exchange_rows, piece_shift, asked.rounds,
                              static_cast<unsigned char*>(columns.data()), flags.data(),
                              wrong.data(), spans.data()});
    double longest = 0.0, most_ticks = 0.0;
    for (const Span& span : spans.get(stream)) {
      longest = std::max(longest, static_cast<double>(span.nanoseconds));
      most_ticks = std::max(most_ticks, static_cast<double>(span.ticks));
    }
    microseconds.push_back(longest * 1e-3 / asked.rounds);
    ticks.push_back(most_ticks / asked.rounds);
    hertz.push_back(longest > 0.0 ? most_ticks / longest * 1e9 : 0.0);
  }
  if (const unsigned pieces = wrong.get(stream)[0]; pieces != 0) {
    time.wrong = std::to_string(pieces) + " pieces are wrong after " +
                 std::to_string(asked.rounds) + " rounds of " + std::to_string(asked.bytes) +
                 " bytes";
  }
  time.microseconds = median(microseconds);
  time.ticks = median(ticks);
  time.hertz = median(hertz);
  return time;
}

/// Rounds of each of `sizes`, and the line through their times: the exchange's latency and the
/// bytes that a block gets a clock, as the cost model has them.
template <class Exchange>
void measure_sizes(Finding& finding, RoundsAsked asked, const std::vector<int>& sizes) {
  std::vector<double> bytes, ticks;
  double hertz = 0.0;
  for (const int size : sizes) {
    asked.bytes = size;
    const RoundsTime time = time_rounds<Exchange>(asked);
    if (!time.wrong.empty() && finding.failed.empty()) finding.failed = time.wrong;
    finding.add("us_per_round_" + std::to_string(size) + "B", time.microseconds);
    bytes.push_back(size);
    ticks.push_back(time.ticks);
    hertz = time.hertz;
  }
  const Line line = fitted_line(bytes, ticks);
  finding.add("latency_us", hertz > 0.0 ? line.latency / hertz * 1e6 : 0.0);
  finding.add("latency_clocks", line.latency);
  finding.add("bytes_per_clock", line.rate);
  finding.add("clock_hz", hertz);
}

}  // namespace sluice::probes
