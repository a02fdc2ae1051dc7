// Device memory: closed to the host except during launches, copies and library calls, so that code
// that mixes up host and device pointers ends as it would on a GPU (unless the
// environment variable CUDA_ON_CPU_OPEN_MEMORY is set).
#pragma once

#include <cstddef>
#include <string>

namespace cuda_on_cpu {

/// How much memory the imagined device has.
inline constexpr std::size_t device_memory_bytes = std::size_t{4} << 30;

/// Page-aligned, of exact size, filled with 0xFF (NaN), between pages that trap; the bytes from its
/// end to the page's end are a guard zone. Null when the device's memory does not suffice.
void* allocate_device_memory(std::size_t bytes);
/// False if `memory` is not the start of an allocation.
bool free_device_memory(void* memory);
std::size_t device_memory_in_use();

/// True if [memory, memory + bytes) lies inside one allocation.
bool is_device_memory(const void* memory, std::size_t bytes);
/// True if `memory` is in any allocation or its guard zone.
bool touches_device_memory(const void* memory);

/// While one lives, device memory can be read and written.
class DeviceMemoryAccess {
 public:
  DeviceMemoryAccess();
  ~DeviceMemoryAccess();
  DeviceMemoryAccess(const DeviceMemoryAccess&) = delete;
  DeviceMemoryAccess& operator=(const DeviceMemoryAccess&) = delete;

  /// Which guard zone was written to; empty if none.
  std::string describe_damage() const;
};

}  // namespace cuda_on_cpu
