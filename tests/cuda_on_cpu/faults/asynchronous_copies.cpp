// Faults of copies that go on while the kernel does.
#include <cuda_awbarrier_primitives.h>
#include <cuda_pipeline.h>

#include "cuda_on_cpu/bulk_copy.h"
#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

using sluice::cuda::launch;

template <bool faulty>
__global__ void through_shared(const float* from, float* to) {
  SLUICE_SHARED_ARRAY(float, tile, [32]);
  __pipeline_memcpy_async(&tile[threadIdx.x], &from[threadIdx.x], sizeof(float));
  __pipeline_commit();
  if constexpr (!faulty) __pipeline_wait_prior(0);
  __syncthreads();
  to[threadIdx.x] = tile[31 - threadIdx.x];
}

std::vector<float> descending(int count) {
  std::vector<float> values;
  for (int i = count - 1; i >= 0; --i) values.push_back(static_cast<float>(i));
  return values;
}

PLANTED_FAULT(missing_wait_for_a_copy) {
  const DeviceArray<float> from(counting(32)), to(32);
  launch(through_shared<faulty>, {.grid = {1}, .block = {32}}, from.data(), to.data());
  expect_equal(to.get(), descending(32));
}

/// Two stages: while one is summed, the next is under way. The faulty one waits for one batch less.
template <bool faulty>
__global__ void staged_sums(const float* from, float* to, int stages) {
  SLUICE_SHARED_ARRAY(float, tile, [2][32]);
  float sum = 0.0f;
  const auto fetch = [&](int stage) {
    if (stage < stages) {
      __pipeline_memcpy_async(&tile[stage % 2][threadIdx.x], &from[stage * 32 + threadIdx.x],
                              sizeof(float));
    }
    __pipeline_commit();
  };
  fetch(0);
  for (int stage = 0; stage < stages; ++stage) {
    fetch(stage + 1);
    __pipeline_wait_prior(faulty ? 2 : 1);
    __syncthreads();
    sum += tile[stage % 2][31 - threadIdx.x];
    __syncthreads();
  }
  to[threadIdx.x] = sum;
}

PLANTED_FAULT(pipeline_waits_one_stage_too_late) {
  const DeviceArray<float> from(counting(3 * 32)), to(32);
  launch(staged_sums<faulty>, {.grid = {1}, .block = {32}}, from.data(), to.data(), 3);
  std::vector<float> expected = descending(32);
  for (float& value : expected) value = 3.0f * value + 96.0f;
  expect_equal(to.get(), expected);
}

/// One thread fetches a tile in bulk, all wait for its bytes. The faulty one announces too few.
template <bool faulty>
__global__ void bulk_fetch(const float* from, float* to) {
  SLUICE_SHARED_ARRAY(float, tile, [32]);
  SLUICE_SHARED_ARRAY(__mbarrier_t, arrived, [1]);
  if (threadIdx.x == 0) __mbarrier_init(arrived, 1);
  __syncthreads();
  if (threadIdx.x == 0) {
    bulk_copy(tile, from, sizeof tile, arrived);
    if constexpr (!faulty) arrive_expecting(arrived, sizeof tile);
  }
  while (!__mbarrier_try_wait_parity(arrived, false)) {
  }
  to[threadIdx.x] = tile[31 - threadIdx.x];
}

PLANTED_FAULT(bulk_copy_without_an_arrival) {
  const DeviceArray<float> from(counting(32)), to(32);
  launch(bulk_fetch<faulty>, {.grid = {1}, .block = {32}}, from.data(), to.data());
  expect_equal(to.get(), descending(32));
}

/// A second phase of the same mbarrier; the faulty one waits for the first phase's parity again.
template <bool faulty>
__global__ void two_phases(float* x) {
  SLUICE_SHARED_ARRAY(float, values, [32]);
  SLUICE_SHARED_ARRAY(__mbarrier_t, barrier, [1]);
  if (threadIdx.x == 0) __mbarrier_init(barrier, 32);
  __syncthreads();
  for (int phase = 0; phase < 2; ++phase) {
    values[threadIdx.x] = x[threadIdx.x] + static_cast<float>(phase);
    __mbarrier_arrive(barrier);
    while (!__mbarrier_try_wait_parity(barrier, faulty ? false : phase % 2 != 0)) {
    }
    const float mirrored = values[31 - threadIdx.x];
    if (phase == 1) x[threadIdx.x] = mirrored;
    __syncwarp();
  }
}

PLANTED_FAULT(wrong_parity_of_an_mbarrier) {
  const DeviceArray<float> x(counting(32));
  launch(two_phases<faulty>, {.grid = {1}, .block = {32}}, x.data());
  std::vector<float> expected = descending(32);
  for (float& value : expected) value += 1.0f;
  expect_equal(x.get(), expected);
}

}  // namespace
}  // namespace cuda_on_cpu::faults
