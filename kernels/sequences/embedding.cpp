#include "kernels/sequences/embedding.h"

#include "kernels/arrays/sort.h"
#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"
#include "kernels/sequences/embedding_chunks.h"

namespace sluice {

void embedding_forward(const Queue& queue, const EmbeddingForwardArgs& args) {
  constexpr const char* operation = "embedding_forward";
  check_least(operation, "rows", args.rows);
  check_least(operation, "embedding_size", args.embedding_size);
  check_least(operation, "vocabulary", args.vocabulary);
  if (args.rows == 0 || args.embedding_size == 0) return;
  if (args.vocabulary > 0) check_pointer(operation, "table", args.table);
  check_pointer(operation, "tokens", args.tokens);
  check_pointer(operation, "out", args.out);
  SLUICE_DISPATCH(embedding_forward, queue, args);
}

void embedding_backward(const Queue& queue, const EmbeddingBackwardArgs& args) {
  constexpr const char* operation = "embedding_backward";
  check_least(operation, "vocabulary", args.vocabulary);
  const std::size_t needed =
      embedding_backward_workspace_bytes(queue, args.type, args.rows, args.embedding_size);
  if (args.vocabulary == 0 || args.embedding_size == 0) return;
  check_pointer(operation, "d_table", args.d_table);
  if (args.rows > 0) {
    check_pointer(operation, "d_out", args.d_out);
    if (args.ld_d_out != 0) check_least(operation, "ld_d_out", args.ld_d_out, args.embedding_size);
    check_pointer(operation, "tokens", args.tokens);
    check_workspace(operation, args.workspace, args.workspace_bytes, needed);
  }
  SLUICE_DISPATCH(embedding_backward, queue, args);
}

std::size_t embedding_backward_workspace_bytes(const Queue& queue, DataType type, std::int64_t rows,
                                               std::int64_t embedding_size) {
  check_least("embedding_backward", "rows", rows);
  check_least("embedding_backward", "embedding_size", embedding_size);
  return EmbeddingWorkspace(type, rows, embedding_size, sort_by_token_workspace_bytes(queue, rows))
      .end;
}

}  // namespace sluice
