// cp.async: copies of a thread, delayed until it waits for them.
#include <cstring>

#include "runtime/grid.h"

namespace cuda_on_cpu {

void copy_async(Site site, void* to, const void* from, std::size_t bytes, std::size_t zero_bytes) {
  if (bytes != 4 && bytes != 8 && bytes != 16) {
    fail(site, "cp.async of %zu bytes: expected 4, 8 or 16", bytes);
  }
  if (reinterpret_cast<std::uintptr_t>(to) % bytes != 0 ||
      reinterpret_cast<std::uintptr_t>(from) % bytes != 0) {
    fail(site, "cp.async of %zu bytes between addresses that are not multiples of it", bytes);
  }
  if (!is_shared_memory(to)) fail(site, "cp.async: the destination is not shared memory");
  if (zero_bytes > bytes) fail(site, "cp.async: %zu zeros in %zu bytes", zero_bytes, bytes);
  running->open_batch.push_back({to, from, bytes, zero_bytes});
}

void commit_copies() {
  running->copy_batches.push_back(std::move(running->open_batch));
  running->open_batch.clear();
}

void wait_for_copies(std::size_t batches_left) {
  auto& batches = running->copy_batches;
  while (batches.size() > batches_left) {
    for (const PendingCopy& copy : batches.front()) {
      const std::size_t copied = copy.bytes - copy.zero_bytes;
      std::memcpy(copy.to, copy.from, copied);
      std::memset(static_cast<char*>(copy.to) + copied, 0, copy.zero_bytes);
    }
    batches.erase(batches.begin());
  }
}

}  // namespace cuda_on_cpu
