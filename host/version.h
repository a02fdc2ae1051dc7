// Sluice's version; a test compares it with CMakeLists.txt.
#pragma once

namespace sluice {

inline constexpr const char* version = "0.1.0";

}  // namespace sluice
