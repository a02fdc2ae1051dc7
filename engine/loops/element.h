// Places inside arrays whose type is known at run time alone.
#pragma once

#include <cstdint>

#include "kernels/base/types.h"

namespace sluice {

/// The start of element `offset`.
inline const void* at(const void* base, std::int64_t offset, DataType type) {
  return static_cast<const unsigned char*>(base) +
         offset * static_cast<std::int64_t>(size_of(type));
}
inline void* at(void* base, std::int64_t offset, DataType type) {
  return static_cast<unsigned char*>(base) + offset * static_cast<std::int64_t>(size_of(type));
}

}  // namespace sluice
