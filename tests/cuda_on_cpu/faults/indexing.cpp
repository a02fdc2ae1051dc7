// Faults of indices: tails, strides, offsets.
#include "faults/experiment.h"

namespace cuda_on_cpu::faults {
namespace {

using sluice::cuda::grid_index;
using sluice::cuda::grid_stride;
using sluice::cuda::launch;

template <bool faulty>
__global__ void add_one(float* x, int count) {
  for (auto i = grid_index(); i < count + (faulty ? 1 : 0); i += grid_stride()) x[i] += 1.0f;
}

PLANTED_FAULT(off_by_one_in_the_tail) {
  const DeviceArray<float> x(counting(100));
  launch(add_one<faulty>, {.grid = {2}, .block = {32}}, x.data(), 100);
  expect_equal(x.get(), counting(100, 1.0f));
}

template <bool faulty>
__global__ void transpose(const float* from, float* to, int rows, int columns) {
  const int i = static_cast<int>(grid_index());
  if (i >= rows * columns) return;
  const int row = i / columns, column = i % columns;
  to[column * (faulty ? columns : rows) + row] = from[i];
}

PLANTED_FAULT(wrong_stride) {
  constexpr int rows = 5, columns = 3;
  const DeviceArray<float> from(counting(rows * columns)), to(rows * columns);
  launch(transpose<faulty>, {.grid = {1}, .block = {32}}, from.data(), to.data(), rows, columns);
  std::vector<float> expected(rows * columns);
  for (int i = 0; i < rows * columns; ++i) {
    expected[i % columns * rows + i / columns] = static_cast<float>(i);
  }
  expect_equal(to.get(), expected);
}

/// Four numbers a thread, for a count that is not a multiple of four.
template <bool faulty>
__global__ void copy_by_fours(const float* from, float* to, int count) {
  const int first = static_cast<int>(grid_index()) * 4;
  if (first >= count) return;
  const int end = faulty || first + 4 < count ? first + 4 : count;
  for (int i = first; i < end; ++i) to[i] = i < count ? from[i] : 0.0f;
}

PLANTED_FAULT(write_past_a_device_allocation) {
  const DeviceArray<float> from(counting(13)), to(13);
  launch(copy_by_fours<faulty>, {.grid = {1}, .block = {32}}, from.data(), to.data(), 13);
  expect_equal(to.get(), counting(13));
}

/// i * g of the gates i, f, g, o of each unit.
template <bool faulty>
__global__ void gate_product(const float* gates, float* product, int hidden) {
  const int unit = static_cast<int>(threadIdx.x);
  product[unit] = gates[unit] * gates[(faulty ? 1 : 2) * hidden + unit];
}

PLANTED_FAULT(wrong_gate_offset) {
  const DeviceArray<float> gates(counting(4 * 8)), product(8);
  launch(gate_product<faulty>, {.grid = {1}, .block = {8}}, gates.data(), product.data(), 8);
  std::vector<float> expected;
  for (int unit = 0; unit < 8; ++unit) expected.push_back(static_cast<float>(unit * (16 + unit)));
  expect_equal(product.get(), expected);
}

template <bool faulty>
__global__ void fill_rows(float* x, int rows, int columns) {
  const int row = static_cast<int>(blockIdx.x);
  if (row < rows - (faulty ? 1 : 0)) x[row * columns + threadIdx.x] = 7.0f;
}

PLANTED_FAULT(last_row_unwritten) {
  const DeviceArray<float> x(3 * 17);
  launch(fill_rows<faulty>, {.grid = {3}, .block = {17}}, x.data(), 3, 17);
  expect_equal(x.get(), std::vector<float>(3 * 17, 7.0f));
}

/// Each block is to write its own sum.
template <bool faulty>
__global__ void write_block_number(float* x) {
  if (threadIdx.x == 0) x[faulty ? 0 : blockIdx.x] = static_cast<float>(blockIdx.x);
}

PLANTED_FAULT(all_blocks_write_one_cell) {
  const DeviceArray<float> x(std::vector<float>(4, 0.0f));
  launch(write_block_number<faulty>, {.grid = {4}, .block = {32}}, x.data());
  static_cast<void>(x.get());  // any value may be right: it is the orders that disagree
}

PLANTED_FAULT(host_memory_taken_for_device_memory) {
  std::vector<float> x = counting(8);
  const DeviceArray<float> device(x), other(8);
  sluice::cuda::check(cudaMemcpyAsync(other.data(), faulty ? x.data() : device.data(), 32,
                                      cudaMemcpyDeviceToDevice, nullptr),
                      "copying on the device");
  expect_equal(other.get(), x);
}

}  // namespace
}  // namespace cuda_on_cpu::faults
