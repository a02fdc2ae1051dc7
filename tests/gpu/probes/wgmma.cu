#include "tests/gpu/probes/wgmma.h"

#include <cstdint>
#include <vector>

#include "tests/gpu/probes/device_timer.h"

namespace sluice::probes {
namespace {

constexpr int rows = 64, depth = 16;  // of a product, per warp group

/// Small whole numbers, so that sums are exact. a: [64, 16], b: [16, columns].
__host__ __device__ constexpr int number_of_a(int row, int k) { return (row + 3 * k) % 4 - 1; }
__host__ __device__ constexpr int number_of_b(int k, int column) {
  return (k + 2 * column) % 3 - 1;
}

/// bfloat16 of 0, 1, 2, -1 has its bits in the upper half of a float.
__device__ std::uint32_t two_numbers(int low, int high) {
  return __float_as_uint(static_cast<float>(low)) >> 16 |
         (__float_as_uint(static_cast<float>(high)) & 0xFFFF0000u);
}

/// Where B begins, and how far its core matrices, 8 columns by 16 bytes of k, are apart: along k
/// 128 bytes, along the columns 256 (PTX ISA, "Matrix descriptor format", no swizzling).
__device__ std::uint64_t descriptor_of(const void* shared) {
  const auto address = static_cast<std::uint64_t>(__cvta_generic_to_shared(shared));
  return (address & 0x3FFFF) >> 4 | std::uint64_t{128 >> 4} << 16 | std::uint64_t{256 >> 4} << 32;
}

template <int columns>
__device__ __forceinline__ void multiply_add(float (&d)[columns / 2], const std::uint32_t (&a)[4],
                                             std::uint64_t b) {
  if constexpr (columns == 8) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "%8, 1, 1, 1, 0;"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
  } else {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7}, "
        "{%8, %9, %10, %11}, %12, 1, 1, 1, 0;"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]),
          "+f"(d[7])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
  }
}

__device__ __forceinline__ void begin_products() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void wait_for_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
}

/// `together` products on the same sums, then a wait, `batches` times.
template <int columns, int together>
__global__ void __launch_bounds__(512, 1) wgmma_kernel(int batches, float* out, Span* spans) {
  SLUICE_SHARED_ARRAY(std::uint16_t, b, [depth * columns]);
  for (int i = static_cast<int>(threadIdx.x); i < depth * columns;
       i += static_cast<int>(blockDim.x)) {
    const int column = i % columns, k = i / columns;
    b[column / 8 * 128 + k / 8 * 64 + column % 8 * 8 + k % 8] =
        static_cast<std::uint16_t>(two_numbers(number_of_b(k, column), 0));
  }
  const int lane = static_cast<int>(threadIdx.x) % 32,
            warp = static_cast<int>(threadIdx.x) / 32 % 4;
  const int row = warp * 16 + lane / 4, k = lane % 4 * 2;
  const std::uint32_t a[4] = {
      two_numbers(number_of_a(row, k), number_of_a(row, k + 1)),
      two_numbers(number_of_a(row + 8, k), number_of_a(row + 8, k + 1)),
      two_numbers(number_of_a(row, k + 8), number_of_a(row, k + 9)),
      two_numbers(number_of_a(row + 8, k + 8), number_of_a(row + 8, k + 9))};
  float d[columns / 2] = {};
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  const std::uint64_t descriptor = descriptor_of(b);
  const Stopwatch watch;
#pragma unroll 1
  for (int batch = 0; batch < batches; ++batch) {
    begin_products();
#pragma unroll
    for (int i = 0; i < together; ++i) multiply_add<columns>(d, a, descriptor);
    wait_for_products();
  }
  __syncthreads();
  const Span span = watch.read();
  if (threadIdx.x == 0) spans[blockIdx.x] = span;
  if (blockIdx.x != 0 || threadIdx.x >= 128) return;
  for (int i = 0; i < columns / 2; ++i) {
    const int of_row = row + i % 4 / 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
    out[of_row * columns + column] = d[i];
  }
}

template <int columns>
std::string mistake(const std::vector<float>& out, int products) {
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      int sum = 0;
      for (int k = 0; k < depth; ++k) sum += number_of_a(row, k) * number_of_b(k, column);
      const float expected = static_cast<float>(sum * products),
                  got = out[static_cast<std::size_t>(row * columns + column)];
      if (got == expected) continue;
      return "m64n" + std::to_string(columns) + "k16: row " + std::to_string(row) + ", column " +
             std::to_string(column) + " is " + std::to_string(got) + " instead of " +
             std::to_string(expected);
    }
  }
  return "";
}

template <int columns, int together>
void measure(Finding& finding, int groups) {
  const int batches = 8192 / together, blocks = attribute(cudaDevAttrMultiProcessorCount);
  const Stream stream;
  const DeviceArray<float> out(rows * columns);
  const DeviceArray<Span> spans(static_cast<std::size_t>(blocks));
  std::vector<double> ticks;
  for (int run = 0; run < 3; ++run) {
    cuda::launch(wgmma_kernel<columns, together>,
                 {.grid = {static_cast<unsigned>(blocks)},
                  .block = {static_cast<unsigned>(128 * groups)},
                  .stream = stream},
                 batches, out.data(), spans.data());
    std::vector<double> of_blocks;
    for (const Span& span : spans.get(stream)) of_blocks.push_back(static_cast<double>(span.ticks));
    ticks.push_back(median(of_blocks));
  }
  if (finding.failed.empty())
    finding.failed = mistake<columns>(out.get(stream), batches * together);
  const double products = static_cast<double>(batches) * together;
  const std::string name = "wgmma_n" + std::to_string(columns) + "_groups" + std::to_string(groups);
  if (together == 1) {
    finding.add(name + "_clocks_of_one_and_its_wait", median(ticks) / products);
  } else {
    finding.add(name + "_multiply_adds_per_clock",
                groups * products * rows * columns * depth / median(ticks));
    finding.add(name + "_clocks_a_product", median(ticks) / products);
  }
}

template <int columns>
void measure_columns(Finding& finding) {
  for (const int groups : {1, 2, 4}) measure<columns, 32>(finding, groups);
  measure<columns, 1>(finding, 1);
}

}  // namespace

void measure_wgmma(Finding& finding) {
  if (attribute(cudaDevAttrComputeCapabilityMajor) != 9) {
    finding.skipped = "wgmma is compute capability 9.0's alone";
    return;
  }
  measure_columns<8>(finding);
  measure_columns<16>(finding);
}

}  // namespace sluice::probes
