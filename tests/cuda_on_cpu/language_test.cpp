// The imagined GPU does what CUDA's manual says: votes, shuffles, atomics, groups, copies.
#include <cooperative_groups.h>
#include <cuda_awbarrier_primitives.h>
#include <cuda_pipeline.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda_on_cpu/bulk_copy.h"
#include "cuda_on_cpu/device_memory.h"
#include "cuda_on_cpu/schedule.h"
#include "faults/experiment.h"
#include "kernels/base/error.h"
#include "kernels/device/launch.h"

namespace cuda_on_cpu::faults {
namespace {

namespace cg = cooperative_groups;
using sluice::cuda::launch;
using sluice::cuda::LaunchConfig;

LaunchConfig one_warp() { return {.grid = {1}, .block = {32}}; }

/// What every thread of a launch writes at its own index.
template <class T, class Kernel>
std::vector<T> run(Kernel kernel, const LaunchConfig& config = one_warp()) {
  const std::size_t threads = std::size_t{config.grid.x} * config.grid.y * config.grid.z *
                              config.block.x * config.block.y * config.block.z;
  const DeviceArray<T> out(threads);
  launch(kernel, config, out.data());
  return out.get();
}

/// The message of the launch's failure.
template <class Kernel>
std::string failure_of(Kernel kernel, const LaunchConfig& config) {
  try {
    run<int>(kernel, config);
  } catch (const sluice::Error& error) {
    return error.what();
  }
  return "no failure";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

__global__ void indices(int* out) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  out[block * threads + thread] = static_cast<int>(block * 1000 + thread);
}

TEST(Language, EveryThreadRunsOnceWithItsOwnIndices) {
  const auto out = run<int>(indices, {.grid = {2, 3, 2}, .block = {5, 3, 2}});
  for (int i = 0; i < 12 * 30; ++i) EXPECT_EQ(out[i], i / 30 * 1000 + i % 30);
}

__global__ void shuffles(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  const int up = __shfl_up_sync(0xFFFFFFFFu, lane, 3);
  const int down = __shfl_down_sync(0xFFFFFFFFu, lane, 3, 16);
  const int across = __shfl_xor_sync(0xFFFFFFFFu, lane, 5);
  const int from = __shfl_sync(0xFFFFFFFFu, lane, 9, 8);
  out[lane] = up + 100 * down + 10000 * across + 1000000 * from;
}

TEST(Language, ShufflesMoveValuesWithinTheirWidth) {
  const auto out = run<int>(shuffles);
  for (int lane = 0; lane < 32; ++lane) {
    const int up = lane < 3 ? lane : lane - 3;
    const int down = lane % 16 + 3 < 16 ? lane + 3 : lane;
    EXPECT_EQ(out[lane], up + 100 * down + 10000 * (lane ^ 5) + 1000000 * (lane / 8 * 8 + 1));
  }
}

__global__ void votes(unsigned* out) {
  const int odd = static_cast<int>(threadIdx.x % 2);
  const unsigned ballot = __ballot_sync(0xFFFFFFFFu, odd);
  const bool expected = __any_sync(0xFFFFFFFFu, odd) != 0 && __all_sync(0xFFFFFFFFu, odd) == 0 &&
                        __match_any_sync(0xFFFFFFFFu, odd) == (odd != 0 ? ballot : ~ballot) &&
                        __reduce_add_sync(0xFFFFFFFFu, threadIdx.x) == 496u &&
                        __reduce_max_sync(0xFFFFFFFFu, threadIdx.x) == 31u;
  out[threadIdx.x] = expected ? ballot : 0;
}

TEST(Language, VotesAndReductionsSeeTheWholeWarp) {
  EXPECT_EQ(run<unsigned>(votes), std::vector<unsigned>(32, 0xAAAAAAAAu));
}

__global__ void block_votes(int* out) {
  const int count = __syncthreads_count(threadIdx.x < 40);
  const int any = __syncthreads_or(threadIdx.x == 95);
  const int all = __syncthreads_and(threadIdx.x < 95);
  out[threadIdx.x] = count * 100 + any * 10 + all;
}

TEST(Language, BarriersCount) {
  EXPECT_EQ(run<int>(block_votes, {.grid = {1}, .block = {96}}), std::vector<int>(96, 4010));
}

__global__ void atomics(unsigned* out) {
  SLUICE_SHARED_ARRAY(unsigned, cell, [4]);
  if (threadIdx.x < 4) cell[threadIdx.x] = threadIdx.x == 2 ? 1000 : 0;
  __syncthreads();
  atomicAdd(&cell[0], threadIdx.x);
  atomicMax(&cell[1], threadIdx.x);
  atomicMin(&cell[2], threadIdx.x + 7);
  for (unsigned old = cell[3];;) {
    const unsigned seen = atomicCAS(&cell[3], old, old + 2);
    if (seen == old) break;
    old = seen;
  }
  __syncthreads();
  out[threadIdx.x] = cell[0] + 1000 * cell[1] + 100000 * cell[2] + 10000000 * cell[3];
}

TEST(Language, AtomicsLoseNothing) {
  EXPECT_EQ(run<unsigned>(atomics),
            std::vector<unsigned>(32, 496u + 31000u + 700000u + 640000000u));
}

__global__ void unwritten(float* out) {
  SLUICE_SHARED_ARRAY(float, values, [32]);
  SLUICE_DYNAMIC_SHARED(double, more);
  const bool nan = std::isnan(values[threadIdx.x]) && std::isnan(more[threadIdx.x]);
  out[sluice::cuda::grid_index()] = nan ? 1.0f : 0.0f;
}

TEST(Language, UnwrittenSharedMemoryIsNaN) {
  EXPECT_EQ(run<float>(unwritten, {.grid = {2}, .block = {32}, .shared_bytes = 256}),
            std::vector<float>(64, 1.0f));
}

__global__ void dynamic_bytes(int* out) {
  SLUICE_DYNAMIC_SHARED(unsigned char, bytes);
  if (threadIdx.x == 0) bytes[100 * 1024 - 1] = 1;
  out[threadIdx.x] = reinterpret_cast<std::uintptr_t>(bytes) % 128 == 0 ? 1 : 0;
}

TEST(Language, LargeDynamicSharedMemoryIsAskedForByLaunch) {
  LaunchConfig config = one_warp();
  config.shared_bytes = 100 * 1024;
  EXPECT_EQ(run<int>(dynamic_bytes, config), std::vector<int>(32, 1));
  config.shared_bytes = 228 * 1024;
  EXPECT_TRUE(contains(failure_of(dynamic_bytes, config), "bytes of dynamic shared memory"));
}

TEST(Language, ImpossibleLaunchesAreRefused) {
  EXPECT_TRUE(contains(failure_of(indices, {.grid = {1}, .block = {1025}}), "1025 threads"));
  EXPECT_TRUE(contains(failure_of(indices, {.grid = {1, 65536}, .block = {1}}), "end at 65535"));
  EXPECT_TRUE(contains(failure_of(indices, {.grid = {6}, .block = {1}, .cluster = {4}}),
                       "dividing the grid"));
}

__global__ void tiles(int* out) {
  const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
  int sum = static_cast<int>(tile.thread_rank());
  for (int step = 4; step > 0; step /= 2) sum += tile.shfl_xor(sum, step);
  out[threadIdx.x] = sum + 100 * static_cast<int>(tile.meta_group_rank());
}

TEST(Language, TilesAreIndependent) {
  const auto out = run<int>(tiles, {.grid = {1}, .block = {64}});
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out[i], 28 + 100 * (i / 8));
}

/// Every thread of the grid learns what the last one wrote.
__global__ void whole_grid(int* out) {
  const auto grid = cg::this_grid();
  const auto last = static_cast<int>(grid.size()) - 1;
  out[grid.thread_rank()] = static_cast<int>(grid.thread_rank());
  grid.sync();
  const int value = out[last];
  grid.sync();
  out[grid.thread_rank()] = value;
}

TEST(Language, GridBarriersHoldEveryBlock) {
  EXPECT_EQ(run<int>(whole_grid, {.grid = {5}, .block = {33}, .cooperative = true}),
            std::vector<int>(165, 164));
}

/// Rank 0 hands a number to each block of its cluster by st.async, announced on their mbarriers.
__global__ void scatter_in_cluster(int* out) {
  SLUICE_SHARED_ARRAY(int, inbox, [1]);
  SLUICE_SHARED_ARRAY(__mbarrier_t, arrived, [1]);
  const auto cluster = cg::this_cluster();
  if (threadIdx.x == 0) {
    __mbarrier_init(arrived, 1);
    arrive_expecting(arrived, sizeof(int));
  }
  cluster.sync();
  if (cluster.block_rank() == 0 && threadIdx.x == 0) {
    for (int rank = 0; rank < static_cast<int>(cluster.num_blocks()); ++rank) {
      store_async(cluster.map_shared_rank(inbox, rank), 10 * rank + 1,
                  cluster.map_shared_rank(arrived, rank));
    }
  }
  while (!__mbarrier_try_wait_parity(arrived, false)) {
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = inbox[0];
  cluster.sync();
}

TEST(Language, ClustersExchangeThroughSharedMemory) {
  const auto out = run<int>(scatter_in_cluster, {.grid = {32}, .block = {2}, .cluster = {16}});
  for (int i = 0; i < 64; ++i) EXPECT_EQ(out[i], 10 * (i / 2 % 16) + 1);
}

__global__ void half_precision(float* out) {
  const __half x = __float2half(1.5f);
  const __nv_bfloat16 y = __float2bfloat16(2.0f);
  out[threadIdx.x] = __half2float(__hfma(x, x, x)) + __bfloat162float(__hfma(y, y, y));
}

TEST(Language, HalfPrecisionArithmeticRoundsOnce) {
  EXPECT_EQ(run<float>(half_precision), std::vector<float>(32, 3.75f + 6.0f));
}

TEST(DeviceMemory, ComesBackWhenFreed) {
  const std::size_t before = device_memory_in_use();
  {
    const DeviceArray<float> x(1000);
    EXPECT_EQ(device_memory_in_use(), before + 4000);
    EXPECT_TRUE(is_device_memory(x.data(), 4000));
    EXPECT_FALSE(is_device_memory(x.data(), 4001));
    EXPECT_TRUE(std::isnan(x.get()[999]));
  }
  EXPECT_EQ(device_memory_in_use(), before);
}

TEST(DeviceMemory, EndsSomewhere) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, device_memory_bytes + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(DeviceMemoryDeathTest, IsClosedToTheHost) {
  const DeviceArray<int> x(std::vector<int>{1, 2, 3});
  EXPECT_DEATH(std::printf("%d", *static_cast<volatile int*>(x.data())), "");
}

}  // namespace
}  // namespace cuda_on_cpu::faults
