// mbarriers, and the copies that complete on them.
#include <cstring>

#include "runtime/grid.h"
#include "runtime/sanitizers.h"

namespace cuda_on_cpu {
namespace {

constexpr std::uint64_t valid_word =
    0x6D62617272696572;  // what an initialised barrier's word holds

/// The barrier of any block of the cluster.
Mbarrier& find(Site site, const std::uint64_t* word) {
  for (const auto& block : running->block->cluster->blocks) {
    const auto found = block->mbarriers.find(word);
    if (found == block->mbarriers.end()) continue;
    if (block->alive == 0) fail(site, "block %u of the cluster has left the kernel", block->rank);
    if (*word != valid_word) fail(site, "an mbarrier's word was overwritten");
    return found->second;
  }
  fail(site, "an mbarrier is used that was not initialised");
}

void complete_phase(Mbarrier& barrier) {
  if (barrier.missing > 0 || barrier.missing_bytes != 0 || !barrier.deliveries.empty()) return;
  ++barrier.phase;
  barrier.missing = barrier.expected;
  grid->progress = true;
}

/// What was under way arrives, once all arrivals are there.
void deliver(Mbarrier& barrier) {
  if (barrier.missing > 0) return;
  for (const Mbarrier::Delivery& delivery : barrier.deliveries) {
    std::memcpy(delivery.to, delivery.from != nullptr ? delivery.from : delivery.value.data(),
                delivery.bytes);
    barrier.missing_bytes -= static_cast<std::int64_t>(delivery.bytes);
    grid->progress = true;
  }
  barrier.deliveries.clear();
  complete_phase(barrier);
}

}  // namespace

void mbarrier_init(Site site, std::uint64_t* word, std::uint32_t expected) {
  const HiddenFromRaces hidden;
  if (!is_shared_memory(word)) fail(site, "an mbarrier must lie in shared memory");
  if (expected == 0) fail(site, "an mbarrier expects at least one arrival");
  Mbarrier& barrier = running->block->mbarriers[word];
  barrier = Mbarrier();
  barrier.expected = barrier.missing = expected;
  *word = valid_word;
}

void mbarrier_invalidate(Site site, std::uint64_t* word) {
  const HiddenFromRaces hidden;
  find(site, word);
  running->block->mbarriers.erase(word);
}

std::uint64_t mbarrier_arrive(Site site, std::uint64_t* word, std::uint32_t bytes, bool drop) {
  const HiddenFromRaces hidden;
  Mbarrier& barrier = find(site, word);
  if (barrier.missing == 0) fail(site, "an mbarrier gets more arrivals than it expects");
  const std::uint64_t phase = barrier.phase;
  race_release(&barrier.race_tokens[phase % 2]);
  barrier.missing_bytes += bytes;
  if (drop) --barrier.expected;
  --barrier.missing;
  complete_phase(barrier);
  return phase;
}

bool mbarrier_passed(Site site, std::uint64_t* word, bool parity, bool pause) {
  {
    const HiddenFromRaces hidden;
    Mbarrier& barrier = find(site, word);
    deliver(barrier);
    if ((barrier.phase % 2 != 0) != parity) {
      race_acquire(&barrier.race_tokens[parity ? 1 : 0]);
      return true;
    }
  }
  if (pause) yield(site);
  return false;
}

void copy_to_barrier(Site site, void* to, const void* from, std::size_t bytes, std::uint64_t* word,
                     std::size_t alignment) {
  const HiddenFromRaces hidden;
  if (bytes % alignment != 0 || reinterpret_cast<std::uintptr_t>(to) % alignment != 0 ||
      reinterpret_cast<std::uintptr_t>(from) % alignment != 0) {
    fail(site, "a bulk copy's addresses and size must be multiples of %zu bytes", alignment);
  }
  if (!is_shared_memory(to)) fail(site, "a bulk copy's destination is not shared memory");
  find(site, word).deliveries.push_back({to, from, {}, bytes});
}

void store_to_barrier(Site site, void* to, const void* value, std::size_t bytes,
                      std::uint64_t* word) {
  const HiddenFromRaces hidden;
  if (!is_shared_memory(to)) fail(site, "st.async: the address is not shared memory");
  const auto* const first = static_cast<const unsigned char*>(value);
  Mbarrier& barrier = find(site, word);
  if (arrives_at_once()) {
    std::memcpy(to, value, bytes);
    barrier.missing_bytes -= static_cast<std::int64_t>(bytes);
    complete_phase(barrier);
  } else {
    barrier.deliveries.push_back({to, nullptr, {first, first + bytes}, bytes});
  }
}

void check_deliveries(const Block& block) {
  for (const auto& [word, barrier] : block.mbarriers) {
    if (barrier.deliveries.empty()) continue;
    report_failure(
        {},
        "block %u of the cluster leaves the kernel before %zu copies to its shared memory "
        "have arrived",
        block.rank, barrier.deliveries.size());
  }
}

}  // namespace cuda_on_cpu
