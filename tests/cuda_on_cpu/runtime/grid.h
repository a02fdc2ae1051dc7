// The state of a launch: threads, warps, blocks, clusters, the grid, and what they wait for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda_on_cpu/execution.h"
#include "runtime/fiber.h"

namespace cuda_on_cpu {

struct Block;
struct Cluster;
struct Grid;

inline constexpr unsigned warp_size = 32;

/// A counter that waiting threads watch: they go on when it has changed.
using Phase = unsigned;

/// All of `size` threads meet. A thread that has left the kernel can never come.
struct Barrier {
  const char* name = "";
  int size = 0;
  int arrived = 0;
  int left = 0;  ///< threads that have left the kernel
  Phase phase = 0;
  Site site;  ///< of the first to arrive in this phase
  unsigned first_thread = 0;
  char race_tokens[2] = {};  ///< addresses that ThreadSanitizer synchronises on, by parity
};

/// One warp operation in progress, between the first lane's arrival and the last one's departure.
struct Exchange {
  const char* operation = "";
  Site site;
  unsigned mask = 0, arrived = 0;
  int readers = 0;
  Phase phase = 0;
  alignas(16) unsigned char values[32][16];
};

/// cp.async by one thread: not done before it is waited for, so that a missing wait shows.
struct PendingCopy {
  void* to;
  const void* from;
  std::size_t bytes, zero_bytes;
};

/// What the word in shared memory stands for.
struct Mbarrier {
  struct Delivery {
    void* to;
    const void* from;  ///< null if the bytes are in `value`
    std::vector<unsigned char> value;
    std::size_t bytes;
  };
  std::int64_t expected = 0, missing = 0;  ///< arrivals of each phase, and still of this one
  std::int64_t missing_bytes = 0;          ///< announced minus delivered
  std::uint64_t phase = 0;
  std::vector<Delivery> deliveries;  ///< under way
  char race_tokens[2] = {};
};

/// The built-in variables of one CUDA thread.
struct Coordinates {
  uint3 thread_index, block_index;
  unsigned lane;  ///< of its warp
};

struct Thread {
  enum class State { fresh, runnable, resting, waiting, done };

  Coordinates coordinates;
  State state = State::fresh;
  const Phase* watched = nullptr;  ///< waiting: goes on when *watched != seen
  Phase seen = 0;
  Site site;  ///< where it waits
  const char* waits_for = "";
  Phase cluster_phase = 0;  ///< between cluster_arrive and cluster_wait
  bool cluster_arrived = false;
  unsigned warp = 0;
  Block* block = nullptr;
  std::unique_ptr<Fiber> fiber;
  std::vector<std::vector<PendingCopy>> copy_batches;  ///< committed, oldest first
  std::vector<PendingCopy> open_batch;
};

struct Warp {
  unsigned alive = 0;  ///< lanes that have not left the kernel
  std::vector<std::unique_ptr<Exchange>> exchanges;
};

/// One shared variable or the dynamic part, with a guard zone on either side.
struct SharedVariable {
  const void* key;
  std::size_t bytes;
  std::unique_ptr<unsigned char, void (*)(void*)> memory;
};

struct Block {
  unsigned number = 0;  ///< in the grid
  unsigned rank = 0;    ///< in the cluster
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  int alive = 0;
  Barrier barrier;
  int counts[2] = {};  ///< of block_barrier_count, by parity
  std::vector<SharedVariable> shared;
  std::map<const std::uint64_t*, Mbarrier> mbarriers;
  Cluster* cluster = nullptr;
};

struct Cluster {
  Barrier barrier;
  std::vector<std::unique_ptr<Block>> blocks;
};

struct Grid {
  Launch launch;
  Barrier barrier;
  std::vector<std::unique_ptr<Cluster>> resident;  ///< clusters that run at the same time
  FiberPool fibers;
  bool failed = false;
  bool progress = false;  ///< something happened since the last round that may free a thread
};

extern Grid* grid;
extern Thread* running;

inline std::size_t volume(const dim3& size) { return std::size_t{size.x} * size.y * size.z; }

/// The launch's cluster of that number with its threads, none of which has begun.
std::unique_ptr<Cluster> create_cluster(std::size_t number);

/// Stops the running thread until *watched differs from `seen`.
void wait_until_changed(const Phase* watched, Phase seen, Site site, const char* waits_for);

/// Registers the running thread; the last to come releases the others. Fails if it cannot be
/// complete: threads at another site, or gone.
Phase arrive(Barrier& barrier, Site site);
void leave(Barrier& barrier);

/// Ends the exchanges that waited only for this lane.
void complete_exchanges(Warp& warp);

/// Fails the launch if a guard zone of the block's shared memory was written to.
void check_shared_guards(const Block& block);

/// Whether a remote store arrives as soon as it is sent; else when its barrier is waited on. A
/// receiver must bear both: always in reverse order, sometimes in random orders.
bool arrives_at_once();
/// Fails the launch if something is under way to the shared memory of a block that has ended.
void check_deliveries(const Block& block);

/// What last_failure() says from now on, of a failure outside of any launch.
void keep_failure(const std::string& text);

/// Like fail(), but not from inside a kernel.
void report_failure(Site site, const char* format, ...) __attribute__((format(printf, 2, 3)));

}  // namespace cuda_on_cpu
