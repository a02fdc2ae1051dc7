// Faults of operations within a warp.
#include <mma.h>

#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

using sluice::cuda::launch;

/// Sums of the first half warp alone; the faulty one fetches from lanes that take no part.
template <bool faulty>
__global__ void half_warp_sum(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  if (lane >= 16) return;
  int sum = lane;
  for (int delta = 8; delta > 0; delta /= 2) {
    sum += faulty ? __shfl_down_sync(0xFFFFu, sum, static_cast<unsigned>(delta))
                  : __shfl_xor_sync(0xFFFFu, sum, delta);
  }
  out[lane] = sum;
}

PLANTED_FAULT(shuffle_from_an_inactive_lane) {
  const DeviceArray<int> out(16);
  launch(half_warp_sum<faulty>, {.grid = {1}, .block = {32}}, out.data());
  expect_equal(out.get(), std::vector<int>(16, 120));
}

template <bool faulty>
__global__ void masked_vote(int* out) {
  const unsigned mask = faulty ? 0xFFu : 0xFFFFFFFFu;
  out[threadIdx.x] = __any_sync(mask, threadIdx.x == 5);
}

PLANTED_FAULT(lane_outside_its_mask) {
  const DeviceArray<int> out(32);
  launch(masked_vote<faulty>, {.grid = {1}, .block = {32}}, out.data());
  expect_equal(out.get(), std::vector<int>(32, 1));
}

/// In the faulty version half the warp waits for the block while the other half waits for the warp.
template <bool faulty>
__global__ void mixed_waits(int* out) {
  int value = static_cast<int>(threadIdx.x);
  if (faulty && threadIdx.x < 16) __syncthreads();
  value = __shfl_sync(0xFFFFFFFFu, value, 3);
  if (!faulty || threadIdx.x >= 16) __syncthreads();
  out[threadIdx.x] = value;
}

PLANTED_FAULT(deadlock_of_warp_and_block) {
  const DeviceArray<int> out(32);
  launch(mixed_waits<faulty>, {.grid = {1}, .block = {32}}, out.data());
  expect_equal(out.get(), std::vector<int>(32, 3));
}

/// C = A B of one 16 x 16 tile. The faulty one starts B in the middle of a 32-byte line.
template <bool faulty>
__global__ void tile_product(const __half* a, const __half* b, float* c) {
  using namespace nvcuda::wmma;
  fragment<matrix_a, 16, 16, 16, __half, row_major> left;
  fragment<matrix_b, 16, 16, 16, __half, row_major> right;
  fragment<accumulator, 16, 16, 16, float> sum;
  fill_fragment(sum, 0.0f);
  load_matrix_sync(left, a, 16);
  load_matrix_sync(right, b + (faulty ? 4 : 0), 16);
  mma_sync(sum, left, right, sum);
  store_matrix_sync(c, sum, 16, mem_row_major);
}

std::vector<__half> halves(int count, int modulus) {
  std::vector<__half> values;
  for (int i = 0; i < count; ++i) values.push_back(__float2half(static_cast<float>(i % modulus)));
  return values;
}

PLANTED_FAULT(misaligned_matrix_fragment) {
  const auto a = halves(256, 7), b = halves(260, 5);
  const DeviceArray<__half> left(a), right(b);
  const DeviceArray<float> c(256);
  launch(tile_product<faulty>, {.grid = {1}, .block = {32}}, left.data(), right.data(), c.data());
  std::vector<float> expected(256, 0.0f);
  for (int i = 0; i < 4096; ++i) {
    const int row = i / 256, column = i / 16 % 16, k = i % 16;
    expected[row * 16 + column] += __half2float(a[row * 16 + k]) * __half2float(b[k * 16 + column]);
  }
  expect_equal(c.get(), expected);
}

/// Doubles the diagonal; the faulty one believes it knows which lane holds it.
template <bool faulty>
__global__ void double_diagonal(float* x) {
  using namespace nvcuda::wmma;
  fragment<accumulator, 16, 16, 16, float> tile;
  load_matrix_sync(tile, x, 16, mem_row_major);
  if constexpr (faulty) {
    for (int e = 0; e < tile.num_elements; ++e) {
      const int position = static_cast<int>(threadIdx.x) * tile.num_elements + e;
      if (position % 17 == 0) tile.x[e] *= 2.0f;
    }
  }
  store_matrix_sync(x, tile, 16, mem_row_major);
  __syncwarp();
  if (!faulty && threadIdx.x < 16) x[threadIdx.x * 17] *= 2.0f;
}

PLANTED_FAULT(assumed_fragment_layout) {
  const DeviceArray<float> x(counting(256));
  launch(double_diagonal<faulty>, {.grid = {1}, .block = {32}}, x.data());
  std::vector<float> expected = counting(256);
  for (int i = 0; i < 16; ++i) expected[i * 17] *= 2.0f;
  expect_equal(x.get(), expected);
}

}  // namespace
}  // namespace cuda_on_cpu::faults
