// What a launch costs where one kernel waits for the one before it, in a CUDA graph and without,
// and what the memory and the L2 cache give to a kernel that only reads.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/gpu/probes/device_timer.h"
#include "tests/gpu/probes/probe.h"

namespace sluice::probes {
namespace {

/// When a block began and ended.
struct Stamp {
  std::uint64_t begin, end;
};

__global__ void stamp_kernel(Stamp* stamps) {
  const std::uint64_t begin = global_nanoseconds();
  if (threadIdx.x == 0) stamps[blockIdx.x] = {begin, global_nanoseconds()};
}

/// A kernel that does next to nothing, for times without stamps.
__global__ void tiny_kernel(unsigned* word) {
  if (threadIdx.x == 0 && blockIdx.x == 0) *word += 1;
}

/// A graph of what `work` gives to the stream.
class Graph {
 public:
  template <class Work>
  Graph(const Stream& stream, Work work) {
    cudaGraph_t recorded = nullptr;
    cuda::check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
                "beginning to record a graph");
    work();
    cuda::check(cudaStreamEndCapture(stream, &recorded), "recording a graph");
    cuda::check(cudaGraphInstantiate(&ready_, recorded, 0), "making a recorded graph ready");
    cuda::check(cudaGraphDestroy(recorded), "destroying a graph");
  }
  ~Graph() { static_cast<void>(cudaGraphExecDestroy(ready_)); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch(const Stream& stream) const {
    cuda::check(cudaGraphLaunch(ready_, stream), "launching a graph");
  }

 private:
  cudaGraphExec_t ready_ = nullptr;
};

double between_kernels(const std::vector<Stamp>& stamps, int kernels, int blocks) {
  double sum = 0.0;
  std::uint64_t ended = 0;
  for (int kernel = 0; kernel < kernels; ++kernel) {
    std::uint64_t begin = UINT64_MAX, end = 0;
    for (int block = 0; block < blocks; ++block) {
      const Stamp& stamp = stamps[static_cast<std::size_t>(kernel * blocks + block)];
      begin = std::min(begin, stamp.begin);
      end = std::max(end, stamp.end);
    }
    if (kernel > 0) sum += static_cast<double>(begin) - static_cast<double>(ended);
    ended = end;
  }
  return sum / (kernels - 1);
}

/// The smallest step in which the global timer was seen to move.
double timer_step(const std::vector<Stamp>& stamps) {
  std::vector<std::uint64_t> times;
  for (const Stamp& stamp : stamps) times.push_back(stamp.begin), times.push_back(stamp.end);
  std::sort(times.begin(), times.end());
  std::uint64_t least = UINT64_MAX;
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i] > times[i - 1]) least = std::min(least, times[i] - times[i - 1]);
  }
  return least == UINT64_MAX ? 0.0 : static_cast<double>(least);
}

void measure_chain(Finding& finding, bool whole_gpu) {
  const int kernels = full_or_small(400, 5);
  const int blocks = whole_gpu ? full_or_small(attribute(cudaDevAttrMultiProcessorCount), 3) : 1;
  const auto threads = static_cast<unsigned>(full_or_small(256, 32));
  const Stream stream;
  const DeviceArray<Stamp> stamps(static_cast<std::size_t>(kernels) *
                                  static_cast<std::size_t>(blocks));
  const DeviceArray<unsigned> word(1);
  const auto grid = static_cast<unsigned>(blocks);
  const auto stamp_all = [&] {
    for (int i = 0; i < kernels; ++i) {
      cuda::launch(stamp_kernel, {.grid = {grid}, .block = {threads}, .stream = stream},
                   stamps.data() + i * blocks);
    }
  };
  const auto add_all = [&] {
    for (int i = 0; i < kernels; ++i) {
      cuda::launch(tiny_kernel, {.grid = {grid}, .block = {threads}, .stream = stream},
                   word.data());
    }
  };
  const Graph stamping(stream, stamp_all), adding(stream, add_all);
  std::vector<double> between, in_graph, in_stream, steps;
  constexpr int runs = 5;
  for (int run = 0; run < runs; ++run) {
    stamping.launch(stream);
    const std::vector<Stamp> seen = stamps.get(stream);
    between.push_back(between_kernels(seen, kernels, blocks) * 1e-3);
    steps.push_back(timer_step(seen));
    in_graph.push_back(seconds_of(stream, [&] { adding.launch(stream); }) * 1e6 / kernels);
    in_stream.push_back(seconds_of(stream, add_all) * 1e6 / kernels);
  }
  const unsigned count = word.get(stream)[0], expected = static_cast<unsigned>(2 * runs * kernels);
  if (count != expected) {
    finding.failed = std::to_string(count) + " kernels of " + std::to_string(expected) +
                     " waited for the one before";
  }
  const double gap = median(between), period = median(in_graph);
  finding.add("us_from_end_to_start_in_graph", gap);
  finding.add("us_per_kernel_in_graph", period);
  finding.add("us_of_smallest_kernel", std::max(0.0, period - gap));
  finding.add("us_per_kernel_in_stream", median(in_stream));
  finding.add("ns_timer_step", median(steps));
}

__global__ void __launch_bounds__(512)
    read_kernel(const uint4* memory, std::int64_t count, int times, unsigned* sum) {
  unsigned own = 0;
  for (int i = 0; i < times; ++i) {
    for (std::int64_t at = cuda::grid_index(); at < count; at += 4 * cuda::grid_stride()) {
      uint4 values[4] = {};
#pragma unroll
      for (int j = 0; j < 4; ++j) {  // asked for together, past the first-level cache
        const std::int64_t each = at + j * cuda::grid_stride();
        if (each < count) values[j] = __ldcg(memory + each);
      }
#pragma unroll
      for (int j = 0; j < 4; ++j) own += values[j].x + values[j].y + values[j].z + values[j].w;
    }
  }
  atomicAdd(sum, own);
}

void measure_reading(Finding& finding, std::int64_t bytes, int times) {
  const std::int64_t count = bytes / 16;
  const Stream stream;
  const DeviceArray<uint4> memory(static_cast<std::size_t>(count));
  const DeviceArray<unsigned> sum(1);
  cuda::check(cudaMemsetAsync(memory.data(), 1, static_cast<std::size_t>(bytes), stream),
              "filling a probe's memory");
  const auto blocks =
      static_cast<unsigned>(full_or_small(4 * attribute(cudaDevAttrMultiProcessorCount), 2));
  std::vector<double> seconds;
  for (int run = 0; run < 6; ++run) {
    const double taken = seconds_of(stream, [&] {
      cuda::launch(read_kernel,
                   {.grid = {blocks},
                    .block = {static_cast<unsigned>(full_or_small(512, 32))},
                    .stream = stream},
                   memory.data(), count, times, sum.data());
    });
    if (run > 0) seconds.push_back(taken);  // the first one fills the cache
  }
  const auto words = static_cast<unsigned>(bytes / 4 * times * 6);
  if (const unsigned got = sum.get(stream)[0]; got != words * 0x01010101u)
    finding.failed = "the numbers read do not add up";
  const double taken = median(seconds);
  finding.add("bytes_per_second", taken > 0.0 ? static_cast<double>(bytes) * times / taken : 0.0);
  finding.add("bytes", static_cast<double>(bytes));
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice::probes;
  constexpr std::int64_t mebibyte = 1 << 20;
  return run_probe(
      argc, argv,
      {"launches",
       "what a dependent launch costs, and what memory and L2 give",
       {{"launches/one_block", [](Finding& finding) { measure_chain(finding, false); }},
        {"launches/whole_gpu", [](Finding& finding) { measure_chain(finding, true); }},
        {"launches/memory",
         [](Finding& finding) { measure_reading(finding, small() ? 4096 : 2048 * mebibyte, 1); }},
        {"launches/cache", [](Finding& finding) {
           measure_reading(finding, small() ? 2048 : 16 * mebibyte, full_or_small(50, 2));
         }}}});
}
