// Positions of a text grouped by their token: what makes the embedding's gradient deterministic.
//
// Public API.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"

namespace sluice {

/// Sorts (token, position) by token, read as an unsigned number, so that negative ones come last;
/// positions of the same token keep their order. A radix sort: Thrust's on the CPU, CUB's on a GPU.
/// (Unsigned, since the Thrust of CUDA 13.0 puts negative int32 keys last on the CPU anyway.)
struct SortByTokenArgs {
  std::int64_t count = 0;                 ///< N, below 2^31
  const std::int32_t* tokens = nullptr;   ///< [N], any values
  std::int32_t* sorted_tokens = nullptr;  ///< [N]; does not overlap tokens
  std::int32_t* positions = nullptr;      ///< [N] sorted_tokens[i] == tokens[positions[i]]
  void* workspace = nullptr;              ///< 16-byte aligned; free again afterwards
  std::size_t workspace_bytes = 0;        ///< at least sort_by_token_workspace_bytes()
};

/// Errors: usage on a negative count, a null pointer or too small a workspace.
void sort_by_token(const Queue& queue, const SortByTokenArgs& args);

std::size_t sort_by_token_workspace_bytes(const Queue& queue, std::int64_t count);

namespace cpu {
void sort_by_token(const Queue&, const SortByTokenArgs&);
std::size_t sort_by_token_workspace_bytes(const Queue&, std::int64_t count);
}  // namespace cpu
namespace cuda {
void sort_by_token(const Queue&, const SortByTokenArgs&);
std::size_t sort_by_token_workspace_bytes(const Queue&, std::int64_t count);
}  // namespace cuda

}  // namespace sluice
