// mma.sync for the C++ twins of product code's wrappers: d[16, 8] += a[16, k] b[k, 8] by a whole
// warp, with the lanes' registers as PTX documents them ("Matrix fragments for mma.m16n8k16",
// ".m16n8k8"). Sums are made in float32, one product after the other; a GPU's order differs.
#pragma once

#include <bit>
#include <cstdint>

#include "cuda_on_cpu/half.h"
#include "cuda_on_cpu/warp.h"

namespace cuda_on_cpu {

struct FragmentWords {
  std::uint32_t word[4];
};

/// To TF32's 10 bits of fraction, ties away from zero, as cvt.rna does.
inline float round_to_tf32(float value) {
  if (value != value) return value;
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x1000u) & 0xFFFFE000u);
}

inline float half_word(std::uint32_t word, int upper, const __nv_bfloat16*) {
  return std::bit_cast<float>(upper != 0 ? word & 0xFFFF0000u : word << 16);
}
inline float half_word(std::uint32_t word, int upper, const __half*) {
  return __half2float(
      std::bit_cast<__half>(static_cast<std::uint16_t>(upper != 0 ? word >> 16 : word)));
}

/// `number(word, part)`: number `part` of those in a 32-bit word, of which there are `parts`.
template <int parts, class Number>
void multiply_add(Site site, float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                  std::uint32_t b1, Number number) {
  const WarpValues<FragmentWords> all_a(site, "mma.sync a", 0xFFFFFFFFu,
                                        {{a[0], a[1], a[2], a[3]}});
  const WarpValues<FragmentWords> all_b(site, "mma.sync b", 0xFFFFFFFFu, {{b0, b1, 0, 0}});
  const int group = own_lane() / 4, quad = own_lane() % 4;
  // Lane q of a row's or column's four, and the words it has of it.
  for (int half = 0; half < 2; ++half) {
    for (int q = 0; q < 4; ++q) {
      const FragmentWords of_rows = all_a.of(group * 4 + q);
      for (int column = 0; column < 2; ++column) {
        const FragmentWords of_column = all_b.of((2 * quad + column) * 4 + q);
        for (int part = 0; part < parts; ++part) {
          const float b = number(of_column.word[half], part);
          d[column] += number(of_rows.word[2 * half], part) * b;
          d[2 + column] += number(of_rows.word[2 * half + 1], part) * b;
        }
      }
    }
  }
}

template <class T>
void multiply_add_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                          std::uint32_t b1, CUDA_ON_CPU_SITE) {
  multiply_add<2>({site_file, site_line}, d, a, b0, b1, [](std::uint32_t word, int part) {
    return half_word(word, part, static_cast<const T*>(nullptr));
  });
}

/// The hardware reads TF32 numbers from 32-bit words and drops their 13 lowest bits.
inline void multiply_add_16x8x8_tf32(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                     std::uint32_t b1, CUDA_ON_CPU_SITE) {
  multiply_add<1>({site_file, site_line}, d, a, b0, b1,
                  [](std::uint32_t word, int) { return std::bit_cast<float>(word & 0xFFFFE000u); });
}

}  // namespace cuda_on_cpu
