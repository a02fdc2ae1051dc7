// Rows moved by index: states into and out of sorted order, packing and unpacking.
//
// Public API.
#pragma once

#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// to[i] = source[index[i]] for i in [0, rows). An index below 0 gives a row of zeros.
/// `source` and `to` do not overlap; numbers between `columns` and the leading dimension are not
/// touched. Strides are in elements.
struct GatherRowsArgs {
  DataType type = DataType::float32;  ///< of source and `to` unless:
  bool wide_source = false;           ///< source is of state_type(type)
  bool wide_to = false;               ///< `to` is of state_type(type)
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const void* source = nullptr;         ///< [*, ld_source], as many rows as `index` asks for
  std::int64_t ld_source = 0;           ///< >= columns
  const std::int32_t* index = nullptr;  ///< [rows]
  void* to = nullptr;                   ///< [rows, ld_to]
  std::int64_t ld_to = 0;               ///< >= columns
};

/// to[index[i]] = source[i] for i in [0, rows); other rows of `to` stay as they are. An index below
/// 0 drops its row. Indices that are not negative must differ from each other.
struct ScatterRowsArgs {
  DataType type = DataType::float32;  ///< as above
  bool wide_source = false;
  bool wide_to = false;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const void* source = nullptr;         ///< [rows, ld_source]
  std::int64_t ld_source = 0;           ///< >= columns
  const std::int32_t* index = nullptr;  ///< [rows]
  void* to = nullptr;                   ///< [*, ld_to]
  std::int64_t ld_to = 0;               ///< >= columns
};

/// Errors: usage on a negative size, a null pointer or a stride shorter than its row.
void gather_rows(const Queue& queue, const GatherRowsArgs& args);
void scatter_rows(const Queue& queue, const ScatterRowsArgs& args);

namespace cpu {
void gather_rows(const Queue&, const GatherRowsArgs&);
void scatter_rows(const Queue&, const ScatterRowsArgs&);
}  // namespace cpu
namespace cuda {
void gather_rows(const Queue&, const GatherRowsArgs&);
void scatter_rows(const Queue&, const ScatterRowsArgs&);
}  // namespace cuda

}  // namespace sluice
