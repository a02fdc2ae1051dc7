// One tile of sum_of_squares.
#pragma once

#include <cstdint>

namespace sluice {

inline constexpr std::int64_t kNormTile = 16384;  ///< numbers that one owner squares and adds up

#define SLUICE_DECLARE_NORM_TILE(isa)                              \
  namespace isa {                                                  \
  double sum_of_squares_tile(const float* x, std::int64_t count);  \
  double sum_of_squares_tile(const double* x, std::int64_t count); \
  }
SLUICE_DECLARE_NORM_TILE(isa_baseline)
SLUICE_DECLARE_NORM_TILE(isa_avx2)
SLUICE_DECLARE_NORM_TILE(isa_avx512)
#undef SLUICE_DECLARE_NORM_TILE

}  // namespace sluice
