// Shared memory of a block: each variable of exact size, guarded, filled with NaN.
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/grid.h"
#include "runtime/sanitizers.h"

namespace cuda_on_cpu {
namespace {

constexpr std::size_t guard_bytes = 128, alignment = 128;
constexpr std::size_t most_static_bytes = 48 * 1024;
constexpr unsigned char unwritten = 0xFF, guard_pattern = 0xFF;
const char dynamic_key = 0;

std::size_t rounded(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

unsigned char* create(Block& block, const void* key, std::size_t bytes) {
  const std::size_t all = guard_bytes + rounded(bytes) + guard_bytes;
  auto* const memory = static_cast<unsigned char*>(std::aligned_alloc(alignment, all));
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, guard_pattern, all);
  std::memset(memory + guard_bytes, unwritten, bytes);
#ifdef CUDA_ON_CPU_ASAN
  __asan_poison_memory_region(memory, guard_bytes);
  __asan_poison_memory_region(memory + guard_bytes + bytes, all - guard_bytes - bytes);
#endif
  block.shared.push_back({key, bytes, {memory, &std::free}});
  return memory + guard_bytes;
}

unsigned char* find(const Block& block, const void* key) {
  for (const SharedVariable& variable : block.shared) {
    if (variable.key == key) return variable.memory.get() + guard_bytes;
  }
  return nullptr;
}

const SharedVariable* containing(const Block& block, const void* address) {
  const auto* const at = static_cast<const unsigned char*>(address);
  for (const SharedVariable& variable : block.shared) {
    const unsigned char* const begin = variable.memory.get() + guard_bytes;
    if (at >= begin && at < begin + variable.bytes) return &variable;
  }
  return nullptr;
}

unsigned char* find_or_create(Block& block, const void* key, std::size_t bytes) {
  const HiddenFromRaces hidden;
  unsigned char* const found = find(block, key);
  return found != nullptr ? found : create(block, key, bytes);
}

}  // namespace

void* shared_variable(const void* key, std::size_t bytes) {
  Block& block = *running->block;
  void* const address = find_or_create(block, key, bytes);
  std::size_t total = 0;
  for (const SharedVariable& variable : block.shared) {
    if (variable.key != &dynamic_key) total += rounded(variable.bytes);
  }
  if (total > most_static_bytes) {
    fail({}, "%zu bytes of static shared memory: a kernel has %zu; use the dynamic kind", total,
         most_static_bytes);
  }
  return address;
}

void* dynamic_shared_memory() {
  return find_or_create(*running->block, &dynamic_key, grid->launch.dynamic_shared_bytes);
}

bool is_shared_memory(const void* address) {
  for (const auto& block : running->block->cluster->blocks) {
    if (containing(*block, address) != nullptr) return true;
  }
  return false;
}

void* map_shared(Site site, void* address, unsigned rank) {
  const Block& block = *running->block;
  if (rank >= block.cluster->blocks.size()) {
    fail(site, "map_shared_rank: rank %u in a cluster of %zu blocks", rank,
         block.cluster->blocks.size());
  }
  const SharedVariable* const variable = containing(block, address);
  if (variable == nullptr)
    fail(site, "map_shared_rank: the address is not in this block's shared memory");
  const std::ptrdiff_t offset =
      static_cast<unsigned char*>(address) - (variable->memory.get() + guard_bytes);
  return find_or_create(*block.cluster->blocks[rank], variable->key, variable->bytes) + offset;
}

void check_shared_guards(const Block& block) {
#ifndef CUDA_ON_CPU_ASAN  // which has stopped at the write already
  for (const SharedVariable& variable : block.shared) {
    const unsigned char* const memory = variable.memory.get();
    const std::size_t end = guard_bytes + variable.bytes;
    const std::size_t all = guard_bytes + rounded(variable.bytes) + guard_bytes;
    for (std::size_t i = 0; i < all; i = i + 1 == guard_bytes ? end : i + 1) {
      if (memory[i] == guard_pattern) continue;
      return report_failure({},
                            "out-of-bounds write in shared memory of block %u: byte %td of a "
                            "variable of %zu bytes",
                            block.number, static_cast<std::ptrdiff_t>(i) - 128, variable.bytes);
    }
  }
#else
  static_cast<void>(block);
#endif
}

}  // namespace cuda_on_cpu
