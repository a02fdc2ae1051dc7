// Matrix-multiply fragments (nvcuda::wmma) for kernels that run on the CPU.
//
// Which lane holds which element is unspecified on a GPU, and scrambled here, so that code that
// relies on an order fails. Pointers and strides are checked as the hardware needs them. Sums are
// made in float32, one product after the other; a GPU's order differs.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda_on_cpu/half.h"
#include "cuda_on_cpu/warp.h"

namespace nvcuda::wmma {

struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
enum layout_t { mem_row_major, mem_col_major };

namespace precision {
struct tf32;
}

/// Rows and columns of a fragment of an m x n x k product.
template <class Use, int m, int n, int k>
struct shape;
template <int m, int n, int k>
struct shape<matrix_a, m, n, k> {
  static constexpr int rows = m, columns = k;
};
template <int m, int n, int k>
struct shape<matrix_b, m, n, k> {
  static constexpr int rows = k, columns = n;
};
template <int m, int n, int k>
struct shape<accumulator, m, n, k> {
  static constexpr int rows = m, columns = n;
};

template <class T>
struct storage {
  using type = T;
};
template <>
struct storage<precision::tf32> {
  using type = float;
};

template <class Use, int m, int n, int k, class T, class Layout = void>
struct fragment {
  using element_type = typename storage<T>::type;
  static constexpr int rows = shape<Use, m, n, k>::rows, columns = shape<Use, m, n, k>::columns;
  static constexpr int num_elements = rows * columns / 32;
  static_assert(num_elements * 32 == rows * columns);

  element_type x[num_elements];

  /// Element e of a lane is the matrix's element number position(lane, e), row by row.
  static constexpr int position(int lane, int e) {
    return ((lane * 5 + 3) & 31) + 32 * (num_elements - 1 - e);
  }
  static constexpr int lane_of(int position) { return (((position & 31) - 3 + 32) * 13) & 31; }
  static constexpr int element_of(int position) { return num_elements - 1 - position / 32; }
};

namespace on_cpu {

template <class Fragment, class T>
void check(cuda_on_cpu::Site site, const T* pointer, unsigned leading) {
  if (reinterpret_cast<std::uintptr_t>(pointer) % 32 != 0) {
    cuda_on_cpu::fail(site, "wmma: the pointer is not a multiple of 32 bytes");
  }
  if (leading * sizeof(T) % 16 != 0) {
    cuda_on_cpu::fail(site, "wmma: the leading dimension %u is not a multiple of 16 bytes",
                      leading);
  }
}

inline void whole_warp(cuda_on_cpu::Site site) { __syncwarp(0xFFFFFFFFu, site.file, site.line); }

/// Offset in memory of element e of this lane.
template <class Fragment>
std::size_t offset(int e, unsigned leading, bool by_rows) {
  const int position = Fragment::position(cuda_on_cpu::own_lane(), e);
  const unsigned row = static_cast<unsigned>(position / Fragment::columns);
  const unsigned column = static_cast<unsigned>(position % Fragment::columns);
  return by_rows ? std::size_t{row} * leading + column : std::size_t{column} * leading + row;
}

template <class Fragment, class T>
void load(cuda_on_cpu::Site site, Fragment& to, const T* from, unsigned leading, bool by_rows) {
  check<Fragment>(site, from, leading);
  for (int e = 0; e < Fragment::num_elements; ++e)
    to.x[e] = from[offset<Fragment>(e, leading, by_rows)];
  whole_warp(site);
}

/// All elements of a fragment, gathered from the warp's lanes.
template <class Fragment>
struct Matrix {
  float at[Fragment::rows][Fragment::columns];

  Matrix(cuda_on_cpu::Site site, const Fragment& fragment) {
    for (int e = 0; e < Fragment::num_elements; ++e) {
      const cuda_on_cpu::WarpValues<float> values(site, "mma_sync", 0xFFFFFFFFu,
                                                  static_cast<float>(fragment.x[e]));
      for (int lane = 0; lane < 32; ++lane) {
        const int position = Fragment::position(lane, e);
        at[position / Fragment::columns][position % Fragment::columns] = values.of(lane);
      }
    }
  }
};

}  // namespace on_cpu

template <class Fragment, class T>
void fill_fragment(Fragment& fragment, T value) {
  for (auto& element : fragment.x) element = value;
}

template <class Use, int m, int n, int k, class T, class Layout, class Memory>
void load_matrix_sync(fragment<Use, m, n, k, T, Layout>& to, const Memory* from, unsigned leading,
                      CUDA_ON_CPU_SITE) {
  on_cpu::load({site_file, site_line}, to, from, leading, std::is_same_v<Layout, row_major>);
}

template <int m, int n, int k, class T>
void load_matrix_sync(fragment<accumulator, m, n, k, T>& to, const T* from, unsigned leading,
                      layout_t layout, CUDA_ON_CPU_SITE) {
  on_cpu::load({site_file, site_line}, to, from, leading, layout == mem_row_major);
}

template <int m, int n, int k, class T>
void store_matrix_sync(T* to, const fragment<accumulator, m, n, k, T>& from, unsigned leading,
                       layout_t layout, CUDA_ON_CPU_SITE) {
  using Fragment = fragment<accumulator, m, n, k, T>;
  const cuda_on_cpu::Site site{site_file, site_line};
  on_cpu::check<Fragment>(site, to, leading);
  for (int e = 0; e < Fragment::num_elements; ++e) {
    to[on_cpu::offset<Fragment>(e, leading, layout == mem_row_major)] = from.x[e];
  }
  on_cpu::whole_warp(site);
}

template <int m, int n, int k, class Sum, class T, class LayoutA, class LayoutB>
void mma_sync(fragment<accumulator, m, n, k, Sum>& d,
              const fragment<matrix_a, m, n, k, T, LayoutA>& a,
              const fragment<matrix_b, m, n, k, T, LayoutB>& b,
              const fragment<accumulator, m, n, k, Sum>& c, CUDA_ON_CPU_SITE) {
  const cuda_on_cpu::Site site{site_file, site_line};
  const on_cpu::Matrix whole_a(site, a);
  const on_cpu::Matrix whole_b(site, b);
  for (int e = 0; e < d.num_elements; ++e) {
    const int position = d.position(cuda_on_cpu::own_lane(), e);
    float sum = static_cast<float>(c.x[e]);
    for (int i = 0; i < k; ++i) sum += whole_a.at[position / n][i] * whole_b.at[i][position % n];
    d.x[e] = static_cast<Sum>(sum);
  }
}

/// To TF32's 10 bits of fraction, ties away from zero, as cvt.rna does.
inline float __float_to_tf32(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x1000u) & 0xFFFFE000u;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

}  // namespace nvcuda::wmma
