// How much memory this process took at most.
#pragma once

#include <cstddef>

namespace sluice {

/// Resident host memory, in bytes (Linux: VmHWM); 0 if the system does not tell.
std::size_t peak_resident_bytes();

}  // namespace sluice
