// Whether a GPU admits a cooperative grid only as a whole. Two grids whose blocks, one to a
// multiprocessor, wait for all blocks of their own grid are given to two streams, or to two
// branches of a graph: if parts of both were resident, each would wait for ever. Waiting ends by a
// clock here. Two grids that fit together must run; of two that do not, the values say what came: a
// finding, not a failure. With a `crowd`, a third kernel's blocks leave their multiprocessors one
// after the other meanwhile, as a matrix product's do.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/time_loops/persistent/flags.h"
#include "tests/gpu/probes/device_timer.h"
#include "tests/gpu/probes/probe.h"

namespace sluice::probes {
namespace {

struct MeetingGrid {
  unsigned blocks;
  std::uint64_t patience, stay;  ///< ns: of the wait, and after it
  unsigned* arrived;             ///< [1], zero
  unsigned* late;                ///< [1], zero: blocks that gave up
  std::uint64_t *begins, *ends;  ///< [blocks], ns
};

__device__ void stay_until(std::uint64_t end) {
  while (global_nanoseconds() < end) __nanosleep(200);
}

__global__ void __launch_bounds__(32, 1) meet_kernel(const MeetingGrid grid) {
  if (threadIdx.x != 0) return;
  const std::uint64_t begin = global_nanoseconds();
  grid.begins[blockIdx.x] = begin;
  atomicAdd(grid.arrived, 1u);
  bool all = true;
  while (all && cuda::read_flag(grid.arrived) < grid.blocks) {
    __nanosleep(100);
    all = global_nanoseconds() < begin + grid.patience;
  }
  if (!all) atomicAdd(grid.late, 1u);
  stay_until(global_nanoseconds() + grid.stay);
  grid.ends[blockIdx.x] = global_nanoseconds();
}

/// Blocks that end one after the other.
__global__ void __launch_bounds__(32, 1) crowd_kernel(std::uint64_t step) {
  if (threadIdx.x == 0) stay_until(global_nanoseconds() + (1 + blockIdx.x % 16) * step);
}

/// One of the two grids: its memory, launch and what it reports.
class Party {
 public:
  explicit Party(unsigned blocks) : blocks_(blocks), counts_(2), times_(2 * blocks) {}

  void launch(cudaStream_t stream) const {
    cuda::launch(
        meet_kernel,
        {.grid = {blocks_},
         .block = {32},
         .shared_bytes = shared_bytes_of_a_lone_block(0),
         .stream = stream,
         .cooperative = true},
        MeetingGrid{blocks_, patience_in_nanoseconds(), small() ? 1000ull : 200'000ull,
                    counts_.data(), counts_.data() + 1, times_.data(), times_.data() + blocks_});
  }
  void read(cudaStream_t stream) {
    late = counts_.get(stream)[1];
    const std::vector<std::uint64_t> times = times_.get(stream);
    begins.assign(times.begin(), times.begin() + blocks_);
    ends.assign(times.begin() + blocks_, times.end());
    std::sort(begins.begin(), begins.end());
    std::sort(ends.begin(), ends.end());
  }
  unsigned late = 0;
  std::vector<std::uint64_t> begins, ends;  ///< rising

 private:
  unsigned blocks_;
  DeviceArray<unsigned> counts_;
  DeviceArray<std::uint64_t> times_;
};

struct Setting {
  const char* name;
  bool graph, crowd;
  bool together;  ///< both grids fit at once
};

/// Both grids on streams of their own, or as branches of a graph that `first` launches.
void launch_both(const Setting& setting, const Stream& first, const Stream& second, const Party& a,
                 const Party& b) {
  if (!setting.graph) {
    a.launch(first);
    b.launch(second);
    first.wait();
    second.wait();
    return;
  }
  const Event fork, join;
  const DeviceMemory word(4);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  cuda::check(cudaStreamBeginCapture(first, cudaStreamCaptureModeThreadLocal),
              "beginning to record a graph");
  word.zero(first);
  cuda::check(cudaEventRecord(fork, first), "recording an event");
  cuda::check(cudaStreamWaitEvent(second, fork, 0), "waiting for an event");
  a.launch(first);
  b.launch(second);
  cuda::check(cudaEventRecord(join, second), "recording an event");
  cuda::check(cudaStreamWaitEvent(first, join, 0), "waiting for an event");
  cuda::check(cudaStreamEndCapture(first, &graph), "recording two cooperative grids in a graph");
  cuda::check(cudaGraphInstantiate(&ready, graph, 0),
              "making a graph of two cooperative grids ready");
  cuda::check(cudaGraphLaunch(ready, first), "launching a graph of two cooperative grids");
  first.wait();
  cuda::check(cudaGraphExecDestroy(ready), "destroying a graph");
  cuda::check(cudaGraphDestroy(graph), "destroying a graph");
}

void measure(Finding& finding, const Setting& setting) {
  const int multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
  const unsigned blocks =
      small() ? 5
              : static_cast<unsigned>(setting.together ? multiprocessors / 2
                                                       : multiprocessors * 100 / 132);
  unsigned late = 0, in_part = 0;
  bool side_by_side = true, one_after_the_other = true;
  for (int run = 0; run < 3 && late == 0; ++run) {
    const Stream first, second, third;
    Party a(blocks), b(blocks);
    if (setting.crowd) {
      cuda::launch(crowd_kernel,
                   {.grid = {static_cast<unsigned>(full_or_small(2 * multiprocessors, 4))},
                    .block = {32},
                    .shared_bytes = shared_bytes_of_a_lone_block(0),
                    .stream = third},
                   small() ? 100ull : 30'000ull);
    }
    launch_both(setting, first, second, a, b);
    third.wait();
    a.read(first);
    b.read(first);
    late += a.late + b.late;
    Party& earlier = a.begins[0] <= b.begins[0] ? a : b;
    Party& later = &earlier == &a ? b : a;
    const auto before_end = static_cast<unsigned>(
        std::lower_bound(later.begins.begin(), later.begins.end(), earlier.ends.front()) -
        later.begins.begin());
    side_by_side = side_by_side && before_end == blocks;
    one_after_the_other = one_after_the_other && before_end == 0;
    if (before_end != 0 && before_end != blocks) in_part = std::max(in_part, before_end);
  }
  finding.add("blocks_each", blocks);
  finding.add("admitted_whole", late == 0 && in_part == 0 ? 1 : 0);
  finding.add("side_by_side", side_by_side ? 1 : 0);
  finding.add("one_after_the_other", one_after_the_other ? 1 : 0);
  finding.add("blocks_of_the_second_before_the_first_ended", in_part);
  finding.add("blocks_that_waited_in_vain", late);
  finding.detail =
      late != 0
          ? "each grid had blocks resident and waited for the others: cooperative grids can block "
            "each other, and must never be launched on streams side by side unless they fit"
      : in_part != 0
          ? "blocks of the second grid were resident before the first had ended: cooperative "
            "grids are not admitted as a whole"
      : side_by_side ? "ran side by side"
                     : "ran one after the other";
  if (late != 0 && setting.together)
    finding.failed = "two grids that fit together: " + finding.detail;
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice::probes;
  static constexpr Setting settings[] = {
      {"two_streams_that_fit", false, false, true}, {"graph_branches_that_fit", true, false, true},
      {"two_streams", false, false, false},         {"graph_branches", true, false, false},
      {"two_streams_crowd", false, true, false},    {"graph_branches_crowd", true, true, false}};
  Probe probe{"cooperative_admission", "whether cooperative grids are admitted as a whole", {}};
  for (const Setting& setting : settings) {
    probe.cases.push_back({std::string("cooperative_admission/") + setting.name,
                           [&setting](Finding& finding) { measure(finding, setting); }});
  }
  return run_probe(argc, argv, probe);
}
