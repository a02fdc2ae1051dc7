// What tensor cores do with mma.sync, the persistent kernels' own wrapper: multiply-adds a clock of
// a multiprocessor by its warps and each one's independent chains of products, and how long a
// product takes that waits for the one before. Beside it wgmma, where this build has code for
// sm_90a.
#include "kernels/time_loops/persistent/mma.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/gpu/probes/device_timer.h"
#include "tests/gpu/probes/probe.h"
#ifdef SLUICE_WITH_WGMMA
#include "tests/gpu/probes/wgmma.h"
#endif

namespace sluice::probes {
namespace {

constexpr int rows = 16, columns = 8;  // of a product

template <class T>
constexpr int depth_of = sizeof(T) == 2 ? 16 : 8;

/// Small whole numbers, so that sums are exact in any order.
constexpr int number_of_a(int row, int k) { return (row + 3 * k) % 4 - 1; }
constexpr int number_of_b(int k, int column) { return (k + 2 * column) % 3 - 1; }

std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  static_assert(sizeof bits == sizeof x);
  std::copy_n(reinterpret_cast<const unsigned char*>(&x), sizeof x,
              reinterpret_cast<unsigned char*>(&bits));
  return bits;
}

/// A fragment's word: two bfloat16 numbers, the second of the next k, or one in TF32.
template <class T, class NumberAt>
std::uint32_t word_of(NumberAt number_at, int k) {
  const std::uint32_t first = bits_of(static_cast<float>(number_at(k)));
  if (sizeof(T) != 2) return first;
  return first >> 16 | (bits_of(static_cast<float>(number_at(k + 1))) & 0xFFFF0000u);
}

struct Operands {
  std::vector<uint4> a;  ///< of each lane
  std::vector<uint2> b;
};

/// As kernels/time_loops/persistent/mma.h says where they lie.
template <class T>
Operands operands_of_lanes() {
  constexpr int in_word = sizeof(T) == 2 ? 2 : 1;
  Operands operands;
  for (int lane = 0; lane < 32; ++lane) {
    const int g = lane / 4, k = lane % 4 * in_word;
    const auto a = [&](int row, int from) {
      return word_of<T>([&](int each) { return number_of_a(row, each); }, from);
    };
    const auto b = [&](int from) {
      return word_of<T>([&](int each) { return number_of_b(each, g); }, from);
    };
    operands.a.push_back({a(g, k), a(g + 8, k), a(g, k + 4 * in_word), a(g + 8, k + 4 * in_word)});
    operands.b.push_back({b(k), b(k + 4 * in_word)});
  }
  return operands;
}

/// `times` products in each of `chains` chains of each warp. out: [chains][16, 8] of the first
/// warp.
template <class T, int chains>
__global__ void __launch_bounds__(512, 1)
    mma_kernel(const uint4* a_of_lane, const uint2* b_of_lane, int times, float* out, Span* spans) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const uint4 a = a_of_lane[lane];
  const uint2 b = b_of_lane[lane];
  float d[chains][4];
#pragma unroll
  for (int c = 0; c < chains; ++c) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
      d[c][i] = static_cast<float>(c);  // so that no two chains are the same
  }
  __syncthreads();
  const Stopwatch watch;
#pragma unroll
  for (int c = 0; c < chains; ++c) keep(d[c][0]);
#pragma unroll 4
  for (int i = 0; i < times; ++i) {
#pragma unroll
    for (int c = 0; c < chains; ++c) cuda::multiply_add<T>(d[c], a, b.x, b.y);
  }
#pragma unroll
  for (int c = 0; c < chains; ++c) keep(d[c][0]);
  __syncthreads();
  const Span span = watch.read();
  if (threadIdx.x == 0) spans[blockIdx.x] = span;
  if (blockIdx.x != 0 || threadIdx.x >= 32) return;
#pragma unroll
  for (int c = 0; c < chains; ++c) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      out[(c * rows + lane / 4 + i / 2 * 8) * columns + lane % 4 * 2 + i % 2] = d[c][i];
    }
  }
}

template <class T>
std::string mistake(const std::vector<float>& out, int times) {
  for (int i = 0; i < static_cast<int>(out.size()); ++i) {
    const int chain = i / (rows * columns), row = i / columns % rows, column = i % columns;
    int sum = 0;
    for (int k = 0; k < depth_of<T>; ++k) sum += number_of_a(row, k) * number_of_b(k, column);
    const auto expected = static_cast<float>(sum * times + chain);
    if (out[static_cast<std::size_t>(i)] == expected) continue;
    return "chain " + std::to_string(chain) + ", row " + std::to_string(row) + ", column " +
           std::to_string(column) + " is " + std::to_string(out[static_cast<std::size_t>(i)]) +
           " instead of " + std::to_string(expected);
  }
  return "";
}

template <class T, int chains>
void measure_chains(Finding& finding, const Stream& stream, const DeviceArray<uint4>& a,
                    const DeviceArray<uint2>& b) {
  const int times = full_or_small(16384, 8),
            blocks = full_or_small(attribute(cudaDevAttrMultiProcessorCount), 1);
  const DeviceArray<float> out(chains * rows * columns);
  const DeviceArray<Span> spans(static_cast<std::size_t>(blocks));
  for (int warps = 1; warps <= full_or_small(16, 2); warps *= 2) {
    std::vector<double> ticks, hertz;
    for (int run = 0; run < 3; ++run) {
      cuda::launch(mma_kernel<T, chains>,
                   {.grid = {static_cast<unsigned>(blocks)},
                    .block = {static_cast<unsigned>(32 * warps)},
                    .stream = stream},
                   a.data(), b.data(), times, out.data(), spans.data());
      std::vector<double> of_blocks;
      for (const Span& span : spans.get(stream))
        of_blocks.push_back(static_cast<double>(span.ticks));
      ticks.push_back(median(of_blocks));
    }
    if (finding.failed.empty()) finding.failed = mistake<T>(out.get(stream), times);
    const double clocks = median(ticks), products = static_cast<double>(warps) * chains * times;
    const std::string name = "warps" + std::to_string(warps) + "_chains" + std::to_string(chains);
    finding.add(name + "_multiply_adds_per_clock",
                products * rows * columns * depth_of<T> / clocks);
    if (warps == 1 && chains == 1) finding.add("clocks_of_a_dependent_product", clocks / times);
  }
}

template <class T>
void measure(Finding& finding) {
  const Stream stream;
  const Operands operands = operands_of_lanes<T>();
  const DeviceArray<uint4> a(32);
  const DeviceArray<uint2> b(32);
  a.put(operands.a, stream);
  b.put(operands.b, stream);
  measure_chains<T, 1>(finding, stream, a, b);
  measure_chains<T, 2>(finding, stream, a, b);
  measure_chains<T, 4>(finding, stream, a, b);
  measure_chains<T, 8>(finding, stream, a, b);
  double most = 0.0;
  for (const auto& [name, value] : finding.values) {
    if (name.find("multiply_adds") != std::string::npos) most = std::max(most, value);
  }
  finding.add("most_multiply_adds_per_clock", most);
}

void measure_wgmma_or_skip(Finding& finding) {
#ifdef SLUICE_WITH_WGMMA
  measure_wgmma(finding);
#else
  finding.skipped = "wgmma: this build has no code for sm_90a";
#endif
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice::probes;
  return run_probe(argc, argv,
                   {"mma",
                    "multiply-adds a clock of tensor cores, by warps and chains",
                    {{"mma/bfloat16", &measure<sluice::BFloat16>},
                     {"mma/tf32", &measure<sluice::cuda::Tf32>},
                     {"mma/wgmma", &measure_wgmma_or_skip}}});
}
