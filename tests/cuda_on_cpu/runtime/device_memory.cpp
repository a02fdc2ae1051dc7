#include "cuda_on_cpu/device_memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "runtime/grid.h"
#include "runtime/sanitizers.h"

namespace cuda_on_cpu {
namespace {

constexpr std::size_t page = 4096;
constexpr unsigned char pattern = 0xFF;

/// Of a guard zone: NaN whether read as float or as double, and every second float and every double
/// a signaling one, so that even x += 1 past the end leaves a trace.
constexpr unsigned char guard_pattern[8] = {0xFF, 0xFF, 0xBF, 0xFF, 0xFF, 0xFF, 0xF7, 0xFF};

struct Allocation {
  std::size_t bytes, pages_bytes;  ///< as asked for, and rounded up to pages
};
using Allocations = std::map<std::uintptr_t, Allocation>;

struct Memory {
  std::recursive_mutex mutex;
  Allocations allocations;
  std::size_t in_use = 0;
  int accesses = 0;
};
Memory& memory() {
  static Memory& all = *new Memory;  // outlives every owner
  return all;
}

std::uintptr_t number(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }
unsigned char* pointer(std::uintptr_t address) { return reinterpret_cast<unsigned char*>(address); }

/// The allocation whose pages hold `address`, or the one before it.
Allocations::const_iterator at_or_before(std::uintptr_t address) {
  const Allocations& all = memory().allocations;
  auto after = all.upper_bound(address);
  return after == all.begin() ? all.end() : std::prev(after);
}

/// Closing costs a system call for each allocation and launch: tests of very many launches leave
/// the memory open.
bool stays_open() {
  static const bool open = std::getenv("CUDA_ON_CPU_OPEN_MEMORY") != nullptr;
  return open;
}

void set_protection(int protection) {
  if (stays_open()) return;
  for (const auto& [begin, allocation] : memory().allocations) {
    mprotect(pointer(begin), allocation.pages_bytes, protection);
  }
}

/// A file of `pattern`, mapped privately again and again: an allocation costs memory and time only
/// for the pages that are written.
constexpr std::size_t pattern_file_bytes = std::size_t{1} << 20;

int pattern_file() {
  static const int file = [] {
    const int created = memfd_create("unwritten device memory", MFD_CLOEXEC);
    const std::vector<unsigned char> bytes(pattern_file_bytes, pattern);
    if (created < 0 || write(created, bytes.data(), bytes.size()) != ssize_t(bytes.size())) {
      throw std::runtime_error("CUDA on CPU: no memory for the pattern of unwritten memory");
    }
    return created;
  }();
  return file;
}

bool map_pattern(unsigned char* begin, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += pattern_file_bytes) {
    if (mmap(begin + at, std::min(pattern_file_bytes, bytes - at), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_FIXED, pattern_file(), 0) == MAP_FAILED) {
      return false;
    }
  }
  return true;
}

#ifndef CUDA_ON_CPU_ASAN  // which has a better report of its own
/// Tells a stray access from others, then lets the program end by the signal.
void explain_fault(int signal, siginfo_t* info, void*) {
  const std::uintptr_t address = number(info->si_addr);
  char text[300];
  int length = std::snprintf(text, sizeof text, "\nCUDA on CPU: bad access to %p", info->si_addr);
  const auto near = at_or_before(address);
  if (near != memory().allocations.end() &&
      address < near->first + near->second.pages_bytes + page) {
    length += std::snprintf(text + length, sizeof text - length,
                            ", byte %zu of a device allocation of %zu bytes",
                            static_cast<std::size_t>(address - near->first), near->second.bytes);
  }
  if (running != nullptr) {
    const Coordinates& at = running->coordinates;
    std::snprintf(text + length, sizeof text - length,
                  ", by block (%u, %u, %u), thread (%u, %u, %u)\n", at.block_index.x,
                  at.block_index.y, at.block_index.z, at.thread_index.x, at.thread_index.y,
                  at.thread_index.z);
  } else {
    std::snprintf(text + length, sizeof text - length, ", by the host\n");
  }
  static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void install_fault_handler() {
  static char stack[64 * 1024];  // a thread's own may be what overflowed
  stack_t alternative = {};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = explain_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}
#else
void install_fault_handler() {}
#endif

}  // namespace

void* allocate_device_memory(std::size_t bytes) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  static const bool installed = (install_fault_handler(), true);
  static_cast<void>(installed);
  if (bytes > device_memory_bytes - all.in_use) return nullptr;
  const std::size_t pages_bytes = (bytes + page - 1) / page * page;
  void* const mapping = mmap(nullptr, page + pages_bytes + page, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  unsigned char* const begin = static_cast<unsigned char*>(mapping) + page;
  if (!map_pattern(begin, pages_bytes)) {
    munmap(mapping, page + pages_bytes + page);
    return nullptr;
  }
  for (std::size_t i = bytes; i < pages_bytes; ++i) begin[i] = guard_pattern[i % 8];
#ifdef CUDA_ON_CPU_ASAN
  __asan_poison_memory_region(begin + bytes, pages_bytes - bytes);
#endif
  if (all.accesses == 0 && !stays_open()) mprotect(begin, pages_bytes, PROT_NONE);
  all.allocations[number(begin)] = {bytes, pages_bytes};
  all.in_use += bytes;
  return begin;
}

bool free_device_memory(void* begin) {
  Memory& all = memory();
  const std::lock_guard lock(all.mutex);
  const auto found = all.allocations.find(number(begin));
  if (found == all.allocations.end()) return false;
  const Allocation allocation = found->second;
#ifdef CUDA_ON_CPU_ASAN
  __asan_unpoison_memory_region(begin, allocation.pages_bytes);
#endif
  munmap(static_cast<unsigned char*>(begin) - page, page + allocation.pages_bytes + page);
  all.in_use -= allocation.bytes;
  all.allocations.erase(found);
  return true;
}

std::size_t device_memory_in_use() {
  const std::lock_guard lock(memory().mutex);
  return memory().in_use;
}

bool is_device_memory(const void* address, std::size_t bytes) {
  const std::lock_guard lock(memory().mutex);
  const auto found = at_or_before(number(address));
  return found != memory().allocations.end() &&
         number(address) + bytes <= found->first + found->second.bytes;
}

bool touches_device_memory(const void* address) {
  const std::lock_guard lock(memory().mutex);
  const auto found = at_or_before(number(address));
  return found != memory().allocations.end() &&
         number(address) < found->first + found->second.pages_bytes;
}

DeviceMemoryAccess::DeviceMemoryAccess() {
  Memory& all = memory();
  all.mutex.lock();
  if (all.accesses++ == 0) set_protection(PROT_READ | PROT_WRITE);
}

DeviceMemoryAccess::~DeviceMemoryAccess() {
  Memory& all = memory();
  if (--all.accesses == 0) set_protection(PROT_NONE);
  all.mutex.unlock();
}

std::string DeviceMemoryAccess::describe_damage() const {
#ifndef CUDA_ON_CPU_ASAN  // which has stopped at the write already
  for (const auto& [begin, allocation] : memory().allocations) {
    for (std::size_t i = allocation.bytes; i < allocation.pages_bytes; ++i) {
      if (pointer(begin)[i] == guard_pattern[i % 8]) continue;
      return "out-of-bounds write in device memory: byte " + std::to_string(i) +
             " of an allocation of " + std::to_string(allocation.bytes) + " bytes";
    }
  }
#endif
  return {};
}

}  // namespace cuda_on_cpu
