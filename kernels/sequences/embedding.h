// Embedding: token to row of a table, and the table's gradient.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// out[n] = table[tokens[n]]. A token outside [0, V) gives a row of zeros.
struct EmbeddingForwardArgs {
  DataType type = DataType::float32;  ///< of out, and of the table unless:
  bool wide_table = false;            ///< the table is of state_type(type): an optimiser's weights
  std::int64_t rows = 0;              ///< N
  std::int64_t embedding_size = 0;    ///< E
  std::int64_t vocabulary = 0;        ///< V
  const void* table = nullptr;        ///< [V, E]
  const std::int32_t* tokens = nullptr;  ///< [N]
  void* out = nullptr;                   ///< [N, E]
};

/// d_table[v] = sum of d_out[n] over the n with tokens[n] == v, zeros where there is none. Tokens
/// outside [0, V) take no part. Rows are summed in an order that depends on the tokens alone:
/// positions are sorted by token (stable), cut into fixed chunks, and each number is written by one
/// owner.
struct EmbeddingBackwardArgs {
  DataType type = DataType::float32;     ///< of d_out
  std::int64_t rows = 0;                 ///< N, below 2^31
  std::int64_t embedding_size = 0;       ///< E
  std::int64_t vocabulary = 0;           ///< V
  std::int64_t padding_index = -1;       ///< its row of the gradient stays zero; -1: there is none
  const void* d_out = nullptr;           ///< [N, ld_d_out]
  std::int64_t ld_d_out = 0;             ///< elements from a row to the next, >= E; 0 means E
  const std::int32_t* tokens = nullptr;  ///< [N]
  void* d_table = nullptr;               ///< [V, E] of state_type(type), overwritten whole
  void* workspace = nullptr;             ///< 16-byte aligned; free again afterwards
  std::size_t workspace_bytes = 0;       ///< at least embedding_backward_workspace_bytes()
};

/// Errors: usage on a negative size, a null pointer, a stride shorter than its row or too small a
/// workspace.
void embedding_forward(const Queue& queue, const EmbeddingForwardArgs& args);
void embedding_backward(const Queue& queue, const EmbeddingBackwardArgs& args);

/// Enough for every smaller `rows` too.
std::size_t embedding_backward_workspace_bytes(const Queue& queue, DataType type, std::int64_t rows,
                                               std::int64_t embedding_size);

namespace cpu {
void embedding_forward(const Queue&, const EmbeddingForwardArgs&);
void embedding_backward(const Queue&, const EmbeddingBackwardArgs&);
}  // namespace cpu
namespace cuda {
void embedding_forward(const Queue&, const EmbeddingForwardArgs&);
void embedding_backward(const Queue&, const EmbeddingBackwardArgs&);
}  // namespace cuda

}  // namespace sluice
