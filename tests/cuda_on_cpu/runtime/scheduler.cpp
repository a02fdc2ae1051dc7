// Runs the threads of a launch on fibers, in the order asked for.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <random>

#include "cuda_on_cpu/device.h"
#include "cuda_on_cpu/device_memory.h"
#include "cuda_on_cpu/language.h"
#include "cuda_on_cpu/schedule.h"
#include "runtime/grid.h"
#include "runtime/sanitizers.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_on_cpu {

Grid* grid = nullptr;
Thread* running = nullptr;

namespace {

constexpr int success = cudaSuccess, invalid_configuration = cudaErrorInvalidConfiguration,
              launch_failure = cudaErrorLaunchFailure,
              too_many_blocks = cudaErrorCooperativeLaunchTooLarge;

constexpr unsigned warp_size = 32, most_threads = 1024, most_cluster_blocks = 16;
constexpr std::size_t most_shared_bytes = 227 * 1024;  // of a block, compute capability 9.0
constexpr std::size_t most_threads_of_multiprocessor = 2048;
constexpr int most_idle_rounds = 100000;
constexpr std::uint64_t idle_nanoseconds = 1000000;

std::mutex launches;
std::uint64_t clock_time = 0;  // nanoseconds
char end_token;  // ThreadSanitizer: what kernels did comes before what the host does afterwards

Schedule schedule_from_environment() {
  const char* text = std::getenv("CUDA_ON_CPU_ORDER");
  if (text == nullptr || std::strcmp(text, "forward") == 0) return {Order::forward, 1};
  if (std::strcmp(text, "reverse") == 0) return {Order::reverse, 1};
  unsigned seed = 1;
  if (std::sscanf(text, "random:%u", &seed) == 1) return {Order::random, seed};
  std::fprintf(stderr, "CUDA_ON_CPU_ORDER: expected forward, reverse or random:SEED, got %s\n",
               text);
  std::exit(2);
}

Schedule schedule = schedule_from_environment();
std::mt19937 generator(schedule.seed);

std::string& failure() {
  static std::string text;
  return text;
}

void record_failure(Site site, const char* format, va_list arguments) {
  char message[700];
  int length = std::vsnprintf(message, sizeof message, format, arguments);
  length = std::min<int>(length, sizeof message - 1);
  if (site.file != nullptr) {
    length += std::snprintf(message + length, sizeof message - length, ", at %s:%d", site.file,
                            site.line);
    length = std::min<int>(length, sizeof message - 1);
  }
  if (running != nullptr) {
    const Coordinates& at = running->coordinates;
    std::snprintf(message + length, sizeof message - length,
                  ", block (%u, %u, %u), thread (%u, %u, %u)", at.block_index.x, at.block_index.y,
                  at.block_index.z, at.thread_index.x, at.thread_index.y, at.thread_index.z);
  }
  const HiddenFromRaces hidden;
  failure() = message;
  grid->failed = true;
}

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

std::vector<unsigned> order_of(std::size_t count) {
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0u);
  if (schedule.order == Order::reverse) std::reverse(order.begin(), order.end());
  if (schedule.order == Order::random) std::shuffle(order.begin(), order.end(), generator);
  return order;
}

bool is_greedy() { return schedule.order != Order::random || generator() % 2 == 0; }

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

uint3 coordinates_of(std::size_t index, const dim3& size) {
  return {static_cast<unsigned>(index % size.x), static_cast<unsigned>(index / size.x % size.y),
          static_cast<unsigned>(index / size.x / size.y)};
}

std::size_t volume(const dim3& size) { return std::size_t{size.x} * size.y * size.z; }

std::unique_ptr<Block> create_block(const uint3& index, Cluster& cluster) {
  const Launch& launch = grid->launch;
  auto block = std::make_unique<Block>();
  block->number = index.x + launch.grid.x * (index.y + launch.grid.y * index.z);
  block->cluster = &cluster;
  const std::size_t count = volume(launch.block);
  block->threads = std::vector<Thread>(count);
  block->warps.resize((count + warp_size - 1) / warp_size);
  block->alive = static_cast<int>(count);
  block->barrier.name = "__syncthreads";
  block->barrier.size = static_cast<int>(count);
  for (std::size_t i = 0; i < count; ++i) {
    Thread& thread = block->threads[i];
    const auto lane = static_cast<unsigned>(i % warp_size);
    thread.coordinates = {coordinates_of(i, launch.block), index, lane};
    thread.warp = static_cast<unsigned>(i / warp_size);
    thread.block = block.get();
    block->warps[thread.warp].alive |= 1u << lane;
  }
  return block;
}

std::unique_ptr<Cluster> create_cluster(std::size_t number) {
  const Launch& launch = grid->launch;
  const dim3 clusters(launch.grid.x / launch.cluster.x, launch.grid.y / launch.cluster.y,
                      launch.grid.z / launch.cluster.z);
  const uint3 first = coordinates_of(number, clusters);
  auto cluster = std::make_unique<Cluster>();
  cluster->barrier.name = "the cluster's barrier";
  cluster->barrier.size = static_cast<int>(volume(launch.cluster) * volume(launch.block));
  for (std::size_t rank = 0; rank < volume(launch.cluster); ++rank) {
    const uint3 inside = coordinates_of(rank, launch.cluster);
    cluster->blocks.push_back(
        create_block({first.x * launch.cluster.x + inside.x, first.y * launch.cluster.y + inside.y,
                      first.z * launch.cluster.z + inside.z},
                     *cluster));
    cluster->blocks.back()->rank = static_cast<unsigned>(rank);
  }
  return cluster;
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

Schedule current_schedule() { return schedule; }

void set_schedule(const Schedule& wanted) {
  schedule = wanted;
  generator.seed(wanted.seed);
}

std::string name_of(const Schedule& named) {
  switch (named.order) {
    case Order::forward: return "forward";
    case Order::reverse: return "reverse";
    case Order::random: return "random:" + std::to_string(named.seed);
  }
  return "?";
}

const std::string& last_failure() { return failure(); }

void keep_failure(const std::string& text) { failure() = text; }

std::uint64_t global_timer() { return clock_time; }

void fail(Site site, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record_failure(site, format, arguments);
  va_end(arguments);
  running->fiber->finish();  // this fiber and all others of the launch are dropped
}

void report_failure(Site site, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record_failure(site, format, arguments);
  va_end(arguments);
}

bool arrives_at_once() {
  return schedule.order == Order::reverse ||
         (schedule.order == Order::random && generator() % 2 == 0);
}

unsigned lane() { return running->coordinates.lane; }

void yield(Site site) {
  running->state = Thread::State::resting;
  running->site = site;
  running->waits_for = "memory";
  running->fiber->suspend();
}

void pause_at_random() {
  if (schedule.order == Order::random && generator() % 2 == 0) yield({});
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
