// Faults of shared memory and of the barriers that order its use.
#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

using sluice::cuda::launch;

template <bool faulty>
__global__ void reverse(float* x) {
  SLUICE_SHARED_ARRAY(float, values, [64]);
  values[threadIdx.x] = x[threadIdx.x];
  if constexpr (!faulty) __syncthreads();
  x[threadIdx.x] = values[63 - threadIdx.x];
}

PLANTED_FAULT(missing_barrier) {
  const DeviceArray<float> x(counting(64));
  launch(reverse<faulty>, {.grid = {1}, .block = {64}}, x.data());
  std::vector<float> expected;
  for (int i = 63; i >= 0; --i) expected.push_back(static_cast<float>(i));
  expect_equal(x.get(), expected);
}

/// Sums the tiles of each row's mirror image: a tile must have been read before the next is
/// written.
template <bool faulty>
__global__ void mirrored_sums(const float* x, float* sums, int tiles) {
  SLUICE_SHARED_ARRAY(float, tile, [64]);
  float sum = 0.0f;
  for (int t = 0; t < tiles; ++t) {
    if constexpr (!faulty) __syncthreads();
    tile[threadIdx.x] = x[t * 64 + threadIdx.x];
    __syncthreads();
    sum += tile[63 - threadIdx.x];
  }
  sums[threadIdx.x] = sum;
}

PLANTED_FAULT(missing_barrier_at_the_loops_top) {
  const DeviceArray<float> x(counting(3 * 64)), sums(64);
  launch(mirrored_sums<faulty>, {.grid = {1}, .block = {64}}, x.data(), sums.data(), 3);
  std::vector<float> expected;
  for (int i = 0; i < 64; ++i) expected.push_back(static_cast<float>(3 * (63 - i) + 64 + 128));
  expect_equal(sums.get(), expected);
}

/// Adds up the sums of `warps` warps; the faulty one believes in a warp more than there are.
template <bool faulty>
__global__ void sum_of_warps(float* out) {
  SLUICE_SHARED_ARRAY(float, sums, [8]);
  const unsigned warps = blockDim.x / 32;
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = 1.0f;
  __syncthreads();
  if (threadIdx.x != 0) return;
  float sum = 0.0f;
  for (unsigned w = 0; w < warps + (faulty ? 1 : 0); ++w) sum += sums[w];
  *out = sum;
}

PLANTED_FAULT(read_of_unwritten_shared_memory) {
  const DeviceArray<float> out(1);
  launch(sum_of_warps<faulty>, {.grid = {1}, .block = {96}}, out.data());
  expect_equal(out.get(), {3.0f});
}

template <bool faulty>
__global__ void write_edge(float* x) {
  SLUICE_SHARED_ARRAY(float, values, [33]);
  values[threadIdx.x + (faulty ? 2 : 1)] = 1.0f;
  __syncthreads();
  x[threadIdx.x] = values[32];
}

PLANTED_FAULT(write_past_shared_memory) {
  const DeviceArray<float> x(32);
  launch(write_edge<faulty>, {.grid = {1}, .block = {32}}, x.data());
  expect_equal(x.get(), std::vector<float>(32, 1.0f));
}

template <bool faulty>
__global__ void half_a_barrier(float* x) {
  SLUICE_DYNAMIC_SHARED(float, values);
  values[threadIdx.x] = x[threadIdx.x];
  if (!faulty || threadIdx.x < 16) __syncthreads();
  x[threadIdx.x] = values[threadIdx.x] + 1.0f;
}

PLANTED_FAULT(divergent_barrier) {
  const DeviceArray<float> x(counting(32));
  launch(half_a_barrier<faulty>, {.grid = {1}, .block = {32}, .shared_bytes = 32 * sizeof(float)},
         x.data());
  expect_equal(x.get(), counting(32, 1.0f));
}

/// h of the next step from the h of this one, which the other threads still read.
template <bool faulty>
__global__ void neighbours(float* x, int steps) {
  SLUICE_SHARED_ARRAY(float, h, [2][32]);
  h[0][threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  for (int t = 0; t < steps; ++t) {
    const float next = h[t % 2][(threadIdx.x + 1) % 32] + 1.0f;
    h[faulty ? t % 2 : (t + 1) % 2][threadIdx.x] = next;
    __syncthreads();
  }
  x[threadIdx.x] = h[faulty ? (steps - 1) % 2 : steps % 2][threadIdx.x];
}

PLANTED_FAULT(double_buffer_slip) {
  const DeviceArray<float> x(counting(32));
  launch(neighbours<faulty>, {.grid = {1}, .block = {32}}, x.data(), 1);
  std::vector<float> expected;
  for (int i = 0; i < 32; ++i) expected.push_back(static_cast<float>((i + 1) % 32 + 1));
  expect_equal(x.get(), expected);
}

template <bool faulty>
__global__ void large_array(float* x) {
  SLUICE_SHARED_ARRAY(float, values, [faulty ? 12289 : 12288]);
  values[threadIdx.x] = 1.0f;
  x[threadIdx.x] = values[threadIdx.x];
}

PLANTED_FAULT(too_much_static_shared_memory) {
  const DeviceArray<float> x(32);
  launch(large_array<faulty>, {.grid = {1}, .block = {32}}, x.data());
  expect_equal(x.get(), std::vector<float>(32, 1.0f));
}

}  // namespace
}  // namespace cuda_on_cpu::faults
