// What the running kernel sees of the scheduler: where it is, how it waits, how it fails.
#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstdint>

namespace cuda_on_cpu {

/// The line of a kernel that asks for something; taken by a default argument of the caller.
struct Site {
  const char* file = nullptr;
  int line = 0;
};
#define CUDA_ON_CPU_SITE const char *site_file = __builtin_FILE(), int site_line = __builtin_LINE()

/// Of the CUDA thread that runs now, in its warp: 0 to 31.
unsigned lane();

/// Ends the launch with an error that names the site, the kernel and the thread. Printf's format.
[[noreturn]] void fail(Site site, const char* format, ...) __attribute__((format(printf, 2, 3)));

/// Lets every other thread run before this one goes on.
void yield(Site site);
/// The same, sometimes and in random orders alone.
void pause_at_random();

/// Nanoseconds of the imagined GPU's clock: one million for each round of all threads in which
/// nothing happened that another thread may wait for, so that a wait without end takes long, and no
/// other does.
std::uint64_t global_timer();

void block_barrier(Site site);
/// How many threads of the block said true: to all of them.
int block_barrier_count(Site site, bool predicate);
void grid_barrier(Site site);
void fence();

/// Clusters: this block's rank in its cluster, their number, and the barrier in two halves.
unsigned cluster_rank();
unsigned cluster_size();
void cluster_arrive(Site site);
void cluster_wait(Site site);
/// The same shared variable in the block of that rank. `address` is this block's.
void* map_shared(Site site, void* address, unsigned rank);

/// Each lane in `mask` gives `bytes` (at most 16) at `mine` and gets everyone's: lane l's at
/// all + 16 l. Returns the mask of the lanes that gave; the others' 16 bytes are 0xFF.
unsigned exchange_in_warp(Site site, const char* operation, unsigned mask, const void* mine,
                          std::size_t bytes, unsigned char* all);
unsigned active_lanes();

/// Shared memory of the running block: one variable for each key, and the launch's dynamic part.
/// Of exact size between guard zones, filled with 0xFF, which is NaN.
void* shared_variable(const void* key, std::size_t bytes);
void* dynamic_shared_memory();
bool is_shared_memory(const void* address);

/// cp.async of the running thread: batches of copies, done when they are waited for.
void copy_async(Site site, void* to, const void* from, std::size_t bytes, std::size_t zero_bytes);
void commit_copies();
void wait_for_copies(std::size_t batches_left);

/// mbarriers. An arrival may announce `bytes` to come, and gives the phase's number.
void mbarrier_init(Site site, std::uint64_t* barrier, std::uint32_t expected);
void mbarrier_invalidate(Site site, std::uint64_t* barrier);
std::uint64_t mbarrier_arrive(Site site, std::uint64_t* barrier, std::uint32_t bytes, bool drop);
/// Whether the phase of that parity is complete; if not, `pause` lets others run first.
bool mbarrier_passed(Site site, std::uint64_t* barrier, bool parity, bool pause);
void copy_to_barrier(Site site, void* to, const void* from, std::size_t bytes,
                     std::uint64_t* barrier, std::size_t alignment);
void store_to_barrier(Site site, void* to, const void* value, std::size_t bytes,
                      std::uint64_t* barrier);

/// A launch as cudaLaunchKernelExC is told about it. `run(arguments)` is one thread's work.
struct Launch {
  const void* kernel = nullptr;
  void (*run)(void* arguments) = nullptr;
  void* arguments = nullptr;
  dim3 grid, block, cluster;
  std::size_t dynamic_shared_bytes = 0;
  bool cooperative = false;
};
/// Returns cudaError_t as an integer; a kernel that failed left its report in last_failure().
int execute(const Launch& launch);

}  // namespace cuda_on_cpu
