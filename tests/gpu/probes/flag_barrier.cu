// How long blocks anywhere on the GPU take to meet by flags in memory, with and without the fence
// before the flag and the pause between two looks at it; the grid's whole exchange; and, beside
// them, a block's own barrier.
#include "tests/gpu/probes/exchange_rounds.h"

namespace sluice::probes {
namespace {

/// What a flag promises to those who see it.
enum class Flag {
  fenced,   ///< all that was written before: the product's, kernels/time_loops/persistent/flags.h
  release,  ///< the same, without a fence before the release, which is one
  relaxed,  ///< nothing: for data that are their own flag
};

#ifndef __CUDACC__
template <Flag kind>
void raise(unsigned* flag, unsigned value) {
  cuda::raise_flag(flag, value);
}
template <Flag kind>
unsigned look_at(unsigned* flag) {
  return cuda::read_flag(flag);
}
#else
template <Flag kind>
__device__ __forceinline__ void raise(unsigned* flag, unsigned value) {
  if constexpr (kind == Flag::fenced) __threadfence();
  if constexpr (kind == Flag::relaxed) {
    asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(__cvta_generic_to_global(flag)),
                 "r"(value)
                 : "memory");
  } else {
    asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(__cvta_generic_to_global(flag)),
                 "r"(value)
                 : "memory");
  }
}
template <Flag kind>
__device__ __forceinline__ unsigned look_at(unsigned* flag) {
  if constexpr (kind != Flag::relaxed) return cuda::read_flag(flag);
  unsigned value;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];"
               : "=r"(value)
               : "l"(__cvta_generic_to_global(flag))
               : "memory");
  return value;
}
#endif

struct MeetingLaunch {
  int blocks, rounds;
  unsigned* flags;     ///< [groups][blocks], zero
  unsigned* messages;  ///< [groups][2][blocks]: what the others must see
  unsigned* wrong;     ///< messages that were not seen
  Span* spans;         ///< [groups][blocks]
  Stuck* stuck;
  std::uint64_t patience;
};

/// `checks`: that each message is there when its flag is, which takes longer.
template <Flag kind, bool sleeps, bool checks>
__global__ void __launch_bounds__(256, 1)
    meeting_kernel(const __grid_constant__ MeetingLaunch launch) {
  const int rank = static_cast<int>(blockIdx.x) % launch.blocks,
            group = static_cast<int>(blockIdx.x) / launch.blocks;
  unsigned* const flags = launch.flags + group * launch.blocks;
  unsigned* const messages = launch.messages + group * 2 * launch.blocks;
  const int thread = static_cast<int>(threadIdx.x);
  Patience patience(launch.stuck, launch.patience);
  unsigned wrong = 0;
  __syncthreads();
  const Stopwatch watch;
#pragma unroll 1
  for (int round = 1; round <= launch.rounds; ++round) {
    const auto number = static_cast<unsigned>(round);
    __syncthreads();
    if (thread == 0) {
      if constexpr (checks) __stcg(messages + round % 2 * launch.blocks + rank, number);
      raise<kind>(flags + rank, number);
    }
    for (int block = thread; block < launch.blocks; block += static_cast<int>(blockDim.x)) {
      patience.wait_for_flag<sleeps>(flags + block, number, static_cast<unsigned>(block),
                                     [](unsigned* flag) { return look_at<kind>(flag); });
      if constexpr (checks) {
        if (__ldcg(messages + round % 2 * launch.blocks + block) != number) ++wrong;
      }
    }
    __syncthreads();
  }
  const Span span = watch.read();
  if (thread == 0) launch.spans[blockIdx.x] = span;
  if (wrong != 0) atomicAdd(launch.wrong, wrong);
}

/// Every run's slowest block, the median of the runs; then, not timed, the check.
template <Flag kind, bool sleeps>
double microseconds_of_meeting(Finding& finding, int blocks, int groups, int rounds) {
  if (!finding.failed.empty()) return 0.0;
  const auto places = static_cast<std::size_t>(blocks) * static_cast<std::size_t>(groups);
  const Stream stream;
  const DeviceArray<unsigned> flags(places), messages(2 * places), wrong(1);
  const DeviceArray<Span> spans(places);
  const DeviceArray<Stuck> stuck(1);
  const auto run = [&](auto kernel, int of_run) {
    flags.zero(stream);
    cuda::launch(kernel,
                 {.grid = {static_cast<unsigned>(places)},
                  .block = {static_cast<unsigned>(full_or_small(256, 32))},
                  .shared_bytes = shared_bytes_of_a_lone_block(0),
                  .stream = stream,
                  .cooperative = true},
                 MeetingLaunch{blocks, of_run, flags.data(), messages.data(), wrong.data(),
                               spans.data(), stuck.data(), patience_in_nanoseconds()});
    double longest = 0.0;
    for (const Span& span : spans.get(stream))
      longest = std::max(longest, static_cast<double>(span.nanoseconds));
    const Stuck found = stuck.get(stream)[0];
    if (found.count != 0) {
      finding.failed = std::to_string(found.count) + " threads waited in vain: block " +
                       std::to_string(found.block) + " for block " +
                       std::to_string(found.waited_for) + " in round " +
                       std::to_string(found.round);
    }
    return longest * 1e-3 / of_run;
  };
  std::vector<double> times;
  for (int i = 0; i < 3 && finding.failed.empty(); ++i) {
    times.push_back(run(meeting_kernel<kind, sleeps, false>, rounds));
  }
  if constexpr (kind != Flag::relaxed) {
    if (finding.failed.empty()) run(meeting_kernel<kind, sleeps, true>, full_or_small(1000, 4));
  }
  if (const unsigned unseen = wrong.get(stream)[0]; unseen != 0 && finding.failed.empty()) {
    finding.failed = std::to_string(unseen) + " messages were not there when their flag was" +
                     (kind == Flag::fenced ? "" : " (no fence)");
  }
  return median(times);
}

void measure_grid(Finding& finding, int wanted) {
  const int blocks = small() ? 3 : wanted, rounds = full_or_small(4000, 4);
  const int multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
  if (blocks > multiprocessors) {
    finding.skipped = "this GPU has " + std::to_string(multiprocessors) + " multiprocessors";
    return;
  }
  const auto meet = [&](const char* name, auto microseconds, int groups = 1) {
    finding.add(std::string("us_per_round_") + name, microseconds(finding, blocks, groups, rounds));
  };
  meet("fence_sleep", &microseconds_of_meeting<Flag::fenced, true>);
  meet("fence", &microseconds_of_meeting<Flag::fenced, false>);
  meet("sleep", &microseconds_of_meeting<Flag::release, true>);
  meet("plain", &microseconds_of_meeting<Flag::release, false>);
  meet("relaxed", &microseconds_of_meeting<Flag::relaxed, false>);
  if (!finding.failed.empty()) return;
  const int groups = small() ? 2 : std::max(1, multiprocessors / blocks);
  finding.add("groups_at_once", groups);
  meet("fence_sleep_all_groups", &microseconds_of_meeting<Flag::fenced, true>, groups);
  if (!finding.failed.empty()) return;
  // The product's own: columns through memory, its flags, and the copies into shared memory. A
  // block's share of a row is a piece at least.
  const int least = piece_bytes * exchange_rows * (small() ? 4 : wanted);
  measure_sizes<cuda::GridExchange>(finding, {.blocks = small() ? 4 : wanted, .rounds = rounds},
                                    {least, 2 * least, 4 * least});
}

void measure_block(Finding& finding) {
  const RoundsTime time = time_rounds<cuda::BlockExchange>(
      {.blocks = 1,
       .groups = small() ? 2 : attribute(cudaDevAttrMultiProcessorCount),
       .bytes = 2048,
       .rounds = full_or_small(10000, 4)});
  finding.failed = time.wrong;
  finding.add("us_per_round_2048B", time.microseconds);
  finding.add("clocks_per_round_2048B", time.ticks);
  finding.add("clock_hz", time.hertz);
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice::probes;
  Probe probe{"flag_barrier",
              "blocks that meet by flags in memory, and a block's own barrier",
              {{"flag_barrier/block", &measure_block}}};
  for (const int blocks : {16, 48, 64, 128}) {
    probe.cases.push_back({"flag_barrier/grid" + std::to_string(blocks),
                           [blocks](Finding& finding) { measure_grid(finding, blocks); }});
  }
  return run_probe(argc, argv, probe);
}
