// Runs the threads of a launch on fibers, in the order asked for.
#include <algorithm>
#include <map>
#include <mutex>

#include "cuda_on_cpu/device.h"
#include "cuda_on_cpu/device_memory.h"
#include "cuda_on_cpu/language.h"
#include "runtime/grid.h"
#include "runtime/sanitizers.h"
#include "runtime/schedule.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_on_cpu {

Grid* grid = nullptr;
Thread* running = nullptr;

namespace {

constexpr int success = cudaSuccess, invalid_configuration = cudaErrorInvalidConfiguration,
              launch_failure = cudaErrorLaunchFailure,
              too_many_blocks = cudaErrorCooperativeLaunchTooLarge;

constexpr unsigned most_threads = 1024, most_cluster_blocks = 16;
constexpr std::size_t most_shared_bytes = 227 * 1024;  // of a block, compute capability 9.0
constexpr std::size_t most_threads_of_multiprocessor = 2048;
constexpr int most_idle_rounds = 100000;
constexpr std::uint64_t idle_nanoseconds = 1000000;

std::mutex launches;
std::uint64_t clock_time = 0;  // nanoseconds
char end_token;  // ThreadSanitizer: what kernels did comes before what the host does afterwards

void start_thread() {
  Fiber::announce_start();
  grid->launch.run(grid->launch.arguments);
  Thread& thread = *running;
  race_release(&end_token);
  {
    const HiddenFromRaces hidden;
    Block& block = *thread.block;
    Warp& warp = block.warps[thread.warp];
    thread.state = Thread::State::done;
    grid->progress = true;
    if (--block.alive == 0) check_deliveries(block);
    warp.alive &= ~(1u << thread.coordinates.lane);
    complete_exchanges(warp);
    leave(block.barrier);
    leave(block.cluster->barrier);
    leave(grid->barrier);
  }
  thread.fiber->finish();
}

bool can_run(const Thread& thread) {
  switch (thread.state) {
    case Thread::State::fresh:
    case Thread::State::runnable: return true;
    case Thread::State::waiting: return *thread.watched != thread.seen;
    case Thread::State::resting:
    case Thread::State::done: return false;
  }
  return false;
}

void run_thread(Thread& thread) {
  if (thread.state == Thread::State::fresh) {
    thread.fiber = grid->fibers.take();
    thread.fiber->prepare(&start_thread);
  }
  thread.state = Thread::State::runnable;
  running = &thread;
  threadIdx = thread.coordinates.thread_index;
  blockIdx = thread.coordinates.block_index;
  thread.fiber->resume();
  running = nullptr;
  if (thread.state == Thread::State::done) grid->fibers.give_back(std::move(thread.fiber));
}

/// Calls visit(index) for each index in this schedule's order, again and again while greedy and
/// something ran. Returns whether anything ran.
template <class Visit>
bool visit_all(std::size_t count, Visit visit) {
  const bool greedy = is_greedy();
  bool any = false, again;
  do {
    again = false;
    for (const unsigned index : order_of(count)) {
      again |= visit(index);
      if (grid->failed) return true;
    }
    any |= again;
  } while (again && greedy);
  return any;
}

bool run_warp(Block& block, unsigned warp) {
  const std::size_t first = std::size_t{warp} * warp_size;
  return visit_all(std::min<std::size_t>(warp_size, block.threads.size() - first),
                   [&](unsigned lane) {
                     Thread& thread = block.threads[first + lane];
                     if (!can_run(thread)) return false;
                     run_thread(thread);
                     return true;
                   });
}

bool run_block(Block& block) {
  if (block.alive == 0) return false;
  return visit_all(block.warps.size(), [&](unsigned warp) { return run_warp(block, warp); });
}

template <class Visit>
void for_each_thread(Visit visit) {
  for (const auto& cluster : grid->resident) {
    for (const auto& block : cluster->blocks) {
      for (Thread& thread : block->threads) visit(thread);
    }
  }
}

/// What the threads that are left wait for, and where.
void report_stuck(const char* what) {
  std::map<std::string, int> places;
  for_each_thread([&](const Thread& thread) {
    if (thread.state == Thread::State::done) return;
    const char* const file = thread.site.file == nullptr ? "an unknown place" : thread.site.file;
    ++places[std::string(thread.waits_for) + " at " + file + ":" +
             std::to_string(thread.site.line)];
  });
  std::string text;
  for (const auto& [place, threads] : places) {
    text += (text.empty() ? "" : ", ") + std::to_string(threads) + " threads wait for " + place;
  }
  report_failure({}, "%s: %s", what, text.c_str());
}

/// Runs the resident clusters to their end.
void run_resident() {
  std::vector<Block*> blocks;
  for (const auto& cluster : grid->resident) {
    for (const auto& block : cluster->blocks) blocks.push_back(block.get());
  }
  int idle_rounds = 0;
  for (;;) {
    grid->progress = false;
    bool ran = false, alive = false, rested = false;
    for (const unsigned index : order_of(blocks.size())) {
      alive |= blocks[index]->alive > 0;
      ran |= run_block(*blocks[index]);
      if (grid->failed) return;
    }
    if (!alive) break;
    for_each_thread([&](Thread& thread) {
      if (thread.state != Thread::State::resting) return;
      thread.state = Thread::State::runnable;
      rested = true;
    });
    if (!ran && !rested) return report_stuck("deadlock");
    idle_rounds = grid->progress ? 0 : idle_rounds + 1;
    if (!grid->progress) clock_time += idle_nanoseconds;
    if (idle_rounds > most_idle_rounds) return report_stuck("livelock");
  }
  for (const Block* block : blocks) check_shared_guards(*block);
}

/// 0, or the status with which CUDA refuses such a launch.
int check_launch(const Launch& launch) {
  const std::size_t threads = volume(launch.block), blocks = volume(launch.grid);
  if (threads == 0 || threads > most_threads) {
    report_failure({}, "a block of %zu threads: expected 1 to %u", threads, most_threads);
  } else if (launch.grid.x == 0 || blocks == 0 || launch.grid.y > 65535 || launch.grid.z > 65535) {
    report_failure({}, "a grid of %u x %u x %u blocks: y and z end at 65535", launch.grid.x,
                   launch.grid.y, launch.grid.z);
  } else if (launch.dynamic_shared_bytes > most_shared_bytes) {
    report_failure({}, "%zu bytes of dynamic shared memory: a block has %zu",
                   launch.dynamic_shared_bytes, most_shared_bytes);
  } else if (launch.grid.x % launch.cluster.x != 0 || launch.grid.y % launch.cluster.y != 0 ||
             launch.grid.z % launch.cluster.z != 0 ||
             volume(launch.cluster) > most_cluster_blocks) {
    report_failure({}, "a cluster of %zu blocks: expected at most %u, dividing the grid",
                   volume(launch.cluster), most_cluster_blocks);
  } else if (launch.cooperative && blocks * threads > static_cast<std::size_t>(multiprocessors()) *
                                                          most_threads_of_multiprocessor) {
    report_failure({}, "a cooperative launch of %zu threads: no GPU holds so many",
                   blocks * threads);
    return too_many_blocks;
  }
  return grid->failed ? invalid_configuration : success;
}

}  // namespace

std::uint64_t global_timer() { return clock_time; }

unsigned lane() { return running->coordinates.lane; }

void yield(Site site) {
  running->state = Thread::State::resting;
  running->site = site;
  running->waits_for = "memory";
  running->fiber->suspend();
}

void pause_at_random() {
  if (pauses()) yield({});
}

void wait_until_changed(const Phase* watched, Phase seen, Site site, const char* waits_for) {
  if (*watched != seen) return;
  Thread& thread = *running;
  thread.state = Thread::State::waiting;
  thread.watched = watched;
  thread.seen = seen;
  thread.site = site;
  thread.waits_for = waits_for;
  thread.fiber->suspend();
}

int execute(const Launch& launch) {
  const std::lock_guard lock(launches);
  const HiddenFromRaces hidden;
  DeviceMemoryAccess access;
  Grid current;
  current.launch = launch;
  grid = &current;
  blockDim = launch.block;
  gridDim = launch.grid;
  int status = check_launch(launch);
  if (status == success) {
    current.barrier.name = "the grid's barrier";
    current.barrier.size = static_cast<int>(volume(launch.grid) * volume(launch.block));
    const auto order = order_of(volume(launch.grid) / volume(launch.cluster));
    if (launch.cooperative) {
      for (std::size_t number = 0; number < order.size(); ++number) {
        current.resident.push_back(create_cluster(number));
      }
      run_resident();
    } else {
      for (std::size_t i = 0; i < order.size() && !current.failed; ++i) {
        current.resident.push_back(create_cluster(order[i]));
        run_resident();
        current.resident.clear();
      }
    }
    race_acquire(&end_token);
    current.fibers.end_launch();
    if (!current.failed) {
      const std::string damage = access.describe_damage();
      if (!damage.empty()) report_failure({}, "%s", damage.c_str());
    }
    if (current.failed) status = launch_failure;
  }
  grid = nullptr;
  return status;
}

}  // namespace cuda_on_cpu
