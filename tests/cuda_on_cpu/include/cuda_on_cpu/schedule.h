// In which order CUDA threads run: what tests vary.
#pragma once

#include <cstdint>
#include <string>

namespace cuda_on_cpu {

/// Greedy: a lane, then its warp, then its block runs as far as it can before the next begins.
/// Races show as results that differ between orders; lock-step rounds would hide them. `random`
/// shuffles lanes, warps and blocks, and is greedy at some times only.
enum class Order { forward, reverse, random };

struct Schedule {
  Order order = Order::forward;
  std::uint32_t seed = 1;
};

/// For the launches to come. At the program's start it is what the environment variable
/// CUDA_ON_CPU_ORDER says: forward, reverse or random:SEED.
void set_schedule(const Schedule& schedule);
Schedule current_schedule();

/// The orders that a test should compare: forward, reverse and some random ones.
inline constexpr Schedule all_schedules[] = {{Order::forward, 1},
                                             {Order::reverse, 1},
                                             {Order::random, 1},
                                             {Order::random, 2},
                                             {Order::random, 3}};
std::string name_of(const Schedule& schedule);

/// A hash of everything copied from the device to the host since restart_digest(), in order: equal
/// for two runs that gave the same bits.
void restart_digest();
std::uint64_t digest();

/// Why the latest failing kernel failed: message, site, kernel's thread; empty if none failed.
const std::string& last_failure();

}  // namespace cuda_on_cpu
