// Biases: added to rows, and their gradient.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

// Of a 16-bit type is only `x`; what is added up is float32.

/// x[i, j] += bias[j].
struct AddBiasArgs {
  DataType type = DataType::float32;  ///< of x
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  void* x = nullptr;           ///< [rows, ld]
  std::int64_t ld = 0;         ///< >= columns, in elements
  const void* bias = nullptr;  ///< [columns] of state_type(type)
};

/// out[j] = sum over i of x[i, j]; zeros if there are no rows. Rows are summed in fixed chunks of
/// state_type(type), the chunks' sums in double.
struct ColumnSumArgs {
  DataType type = DataType::float32;  ///< of x
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const void* x = nullptr;          ///< [rows, ld]
  std::int64_t ld = 0;              ///< >= columns, in elements
  void* out = nullptr;              ///< [columns] of state_type(type), overwritten
  void* workspace = nullptr;        ///< 16-byte aligned; free again afterwards
  std::size_t workspace_bytes = 0;  ///< at least column_sum_workspace_bytes()
};

/// Errors: usage on a negative size, a null pointer, a stride shorter than its row or too small a
/// workspace.
void add_bias(const Queue& queue, const AddBiasArgs& args);
void column_sum(const Queue& queue, const ColumnSumArgs& args);

/// Enough for every smaller `rows` and `columns` too.
std::size_t column_sum_workspace_bytes(DataType type, std::int64_t rows, std::int64_t columns);

namespace cpu {
void add_bias(const Queue&, const AddBiasArgs&);
void column_sum(const Queue&, const ColumnSumArgs&);
}  // namespace cpu
namespace cuda {
void add_bias(const Queue&, const AddBiasArgs&);
void column_sum(const Queue&, const ColumnSumArgs&);
}  // namespace cuda

}  // namespace sluice
