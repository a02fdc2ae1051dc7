// Faults between blocks: the grid, clusters, fences, atomics.
#include <cooperative_groups.h>

#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

namespace cg = cooperative_groups;
using sluice::cuda::launch;

constexpr int hidden = 32, steps = 4, blocks = 4;

/// h[t+1] = the mirror image of h[t], plus 1; each block writes a part and reads the others'.
template <bool faulty>
__global__ void mirrored_steps(float* h) {
  const unsigned unit = blockIdx.x * blockDim.x + threadIdx.x;
  for (int t = 0; t < steps; ++t) {
    h[(t + 1) * hidden + unit] = h[t * hidden + hidden - 1 - unit] + 1.0f;
    if constexpr (!faulty) cg::this_grid().sync();
  }
}

std::vector<float> mirrored_history() {
  std::vector<float> h = counting(hidden);
  for (int i = 0; i < steps * hidden; ++i) {
    const int t = i / hidden, unit = i % hidden;
    h.push_back(h[static_cast<std::size_t>(t * hidden + hidden - 1 - unit)] + 1.0f);
  }
  return h;
}

/// The first row known, the others NaN.
std::vector<float> history_to_fill() {
  std::vector<float> h = counting(hidden);
  h.resize((steps + 1) * hidden, std::nanf(""));
  return h;
}

PLANTED_FAULT(missing_grid_barrier) {
  const DeviceArray<float> h(history_to_fill());
  launch(mirrored_steps<faulty>,
         {.grid = {blocks}, .block = {hidden / blocks}, .cooperative = true}, h.data());
  expect_equal(h.get(), mirrored_history());
}

/// A grid barrier by hand: the faulty one forgets that its writes must be seen before its arrival.
template <bool faulty>
__device__ void arrive_and_wait(unsigned* arrivals, unsigned goal) {
  __syncthreads();
  if (threadIdx.x == 0) {
    if constexpr (!faulty) __threadfence();
    atomicAdd(arrivals, 1u);
    while (atomicAdd(arrivals, 0u) < goal) __nanosleep(32);
    if constexpr (!faulty) __threadfence();
  }
  __syncthreads();
}

template <bool faulty>
__global__ void mirrored_steps_by_hand(float* h, unsigned* arrivals) {
  const unsigned unit = blockIdx.x * blockDim.x + threadIdx.x;
  for (int t = 0; t < steps; ++t) {
    h[(t + 1) * hidden + unit] = h[t * hidden + hidden - 1 - unit] + 1.0f;
    arrive_and_wait<faulty>(arrivals, static_cast<unsigned>(t + 1) * gridDim.x);
  }
}

PLANTED_FAULT(missing_fence_between_blocks) {
  const DeviceArray<float> h(history_to_fill());
  const DeviceArray<unsigned> arrivals(std::vector<unsigned>{0});
  launch(mirrored_steps_by_hand<faulty>,
         {.grid = {blocks}, .block = {hidden / blocks}, .cooperative = true}, h.data(),
         arrivals.data());
  expect_equal(h.get(), mirrored_history());
}

template <bool faulty>
__global__ void count_threads(unsigned* count) {
  if constexpr (faulty) {
    *count += 1;
  } else {
    atomicAdd(count, 1u);
  }
}

PLANTED_FAULT(lost_atomic) {
  const DeviceArray<unsigned> count(std::vector<unsigned>{0});
  launch(count_threads<faulty>, {.grid = {4}, .block = {32}}, count.data());
  expect_equal(count.get(), {128u});
}

/// Each block waits for a flag that another one sets.
template <bool faulty>
__global__ void wait_for_flag(unsigned* flag) {
  if (blockIdx.x == 1 && threadIdx.x == 0) atomicExch(flag, faulty ? 1u : 2u);
  if (blockIdx.x == 0) {
    while (atomicAdd(flag, 0u) != 2u) __nanosleep(20);
  }
}

PLANTED_FAULT(flag_that_is_never_set) {
  const DeviceArray<unsigned> flag(std::vector<unsigned>{0});
  launch(wait_for_flag<faulty>, {.grid = {2}, .block = {1}, .cooperative = true}, flag.data());
  expect_equal(flag.get(), {2u});
}

/// Blocks that wait for each other in a launch that does not promise to hold them all at once.
PLANTED_FAULT(waiting_blocks_without_cooperative_launch) {
  const DeviceArray<float> h(history_to_fill());
  launch(mirrored_steps<false>,
         {.grid = {blocks}, .block = {hidden / blocks}, .cooperative = !faulty}, h.data());
  expect_equal(h.get(), mirrored_history());
}

/// Each block reads its neighbour's shared memory.
template <bool faulty>
__global__ void from_neighbour(float* out) {
  SLUICE_SHARED_ARRAY(float, mine, [8]);
  const cg::cluster_group cluster = cg::this_cluster();
  mine[threadIdx.x] = static_cast<float>(10 * cluster.block_rank() + threadIdx.x);
  if constexpr (!faulty) cluster.sync();
  const unsigned neighbour = (cluster.block_rank() + 1) % cluster.num_blocks();
  out[blockIdx.x * 8 + threadIdx.x] =
      cluster.map_shared_rank(mine, static_cast<int>(neighbour))[threadIdx.x];
  cluster.sync();  // nobody leaves while a neighbour may still read
}

PLANTED_FAULT(missing_cluster_barrier) {
  const DeviceArray<float> out(8 * 8);
  launch(from_neighbour<faulty>, {.grid = {8}, .block = {8}, .cluster = {4}}, out.data());
  std::vector<float> expected;
  for (int i = 0; i < 64; ++i) {
    expected.push_back(static_cast<float>(10 * ((i / 8 % 4 + 1) % 4) + i % 8));
  }
  expect_equal(out.get(), expected);
}

}  // namespace
}  // namespace cuda_on_cpu::faults
