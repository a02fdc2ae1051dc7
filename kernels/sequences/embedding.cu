// Embedding: one block a row forward; backward a segmented sum in two passes over sorted positions
// (see kernels/sequences/embedding_chunks.h), one thread a column.
#include "kernels/sequences/embedding.h"

#include "kernels/arrays/sort.h"
#include "kernels/device/row_grid.h"
#include "kernels/sequences/embedding_chunks.h"

namespace sluice::cuda {
namespace {

template <class Table, class T>
__global__ void forward_kernel(std::int64_t rows, std::int64_t embedding_size,
                               std::int64_t vocabulary, const Table* table,
                               const std::int32_t* tokens, T* out) {
  for_row_elements(rows, embedding_size, [=](std::int64_t row, std::int64_t column) {
    const std::int64_t token = tokens[row];
    const bool known = token >= 0 && token < vocabulary;
    out[row * embedding_size + column] =
        narrow<T>(known ? widen(table[token * embedding_size + column]) : Wide<T>(0));
  });
}

template <class T>
__global__ void zero_kernel(std::int64_t count, T* x) {
  for (std::int64_t i = grid_index(); i < count; i += grid_stride()) x[i] = T(0);
}

// Chunk blockIdx.x, column blockIdx.y * blockDim.x + threadIdx.x.
template <class T>
__global__ void sum_chunk_kernel(EmbeddingSegments<T> s) {
  const std::int64_t chunk = blockIdx.x, end = s.end_of(chunk);
  const std::int64_t column = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (column >= s.embedding_size) return;
  std::int64_t begin = chunk * kEmbeddingChunk;
  Wide<T> sum = Wide<T>(0);
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int32_t token = s.tokens[i];
    if (s.has_row(token)) {
      const Wide<T> x = widen(s.row(i)[column]);
      sum = i == begin ? x : sum + x;
    }
    if (i + 1 == end || s.tokens[i + 1] != token) {
      if (s.has_row(token)) s.target(chunk, begin, i + 1)[column] = sum;
      begin = i + 1;
    }
  }
}

template <class T>
__global__ void join_partials_kernel(EmbeddingSegments<T> s) {
  const std::int64_t chunk = blockIdx.x;
  const std::int64_t column = std::int64_t{blockIdx.y} * blockDim.x + threadIdx.x;
  if (column >= s.embedding_size || !s.owns_crossing_run(chunk)) return;
  const std::int32_t token = s.tokens[s.end_of(chunk)];
  Wide<T> sum = s.tail(chunk)[column];
  for (std::int64_t next = chunk + 1; next * kEmbeddingChunk < s.rows; ++next) {
    if (s.tokens[next * kEmbeddingChunk] != token) break;
    sum += s.head(next)[column];
  }
  s.d_table[token * s.embedding_size + column] = sum;
}

template <class Table, class T>
void forward(const Queue& queue, const EmbeddingForwardArgs& args) {
  launch(forward_kernel<Table, T>, row_grid(queue, args.rows, args.embedding_size), args.rows,
         args.embedding_size, args.vocabulary, static_cast<const Table*>(args.table), args.tokens,
         static_cast<T*>(args.out));
}

template <class T>
void backward(const Queue& queue, const EmbeddingBackwardArgs& args) {
  const std::int64_t numbers = args.vocabulary * args.embedding_size;
  launch(zero_kernel<Wide<T>>,
         {.grid = grid_for(numbers, 256), .block = {256, 1, 1}, .stream = queue.stream}, numbers,
         static_cast<Wide<T>*>(args.d_table));
  if (args.rows == 0) return;

  auto* workspace = static_cast<char*>(args.workspace);
  const EmbeddingWorkspace parts(args.type, args.rows, args.embedding_size, 0);
  auto* tokens = reinterpret_cast<std::int32_t*>(workspace);
  auto* positions = reinterpret_cast<std::int32_t*>(workspace + parts.positions);
  cuda::sort_by_token(queue, {.count = args.rows,
                              .tokens = args.tokens,
                              .sorted_tokens = tokens,
                              .positions = positions,
                              .workspace = workspace + parts.sort,
                              .workspace_bytes = args.workspace_bytes - parts.sort});
  EmbeddingSegments<T> s;
  s.rows = args.rows;
  s.embedding_size = args.embedding_size;
  s.vocabulary = args.vocabulary;
  s.padding_index = args.padding_index;
  s.tokens = tokens;
  s.positions = positions;
  s.d_out = static_cast<const T*>(args.d_out);
  s.ld_d_out = args.ld_d_out == 0 ? args.embedding_size : args.ld_d_out;
  s.d_table = static_cast<Wide<T>*>(args.d_table);
  s.partials = reinterpret_cast<Wide<T>*>(workspace + parts.partials);
  const unsigned threads = threads_for(args.embedding_size);
  const auto chunks = static_cast<unsigned>((args.rows + kEmbeddingChunk - 1) / kEmbeddingChunk);
  const auto column_tiles = static_cast<unsigned>((args.embedding_size + threads - 1) / threads);
  const LaunchConfig config = {
      .grid = {chunks, column_tiles, 1}, .block = {threads, 1, 1}, .stream = queue.stream};
  launch(sum_chunk_kernel<T>, config, s);
  launch(join_partials_kernel<T>, config, s);
}

}  // namespace

void embedding_forward(const Queue& queue, const EmbeddingForwardArgs& args) {
  with_number(args.type, [&]<class T>(T) {
    args.wide_table ? forward<Wide<T>, T>(queue, args) : forward<T, T>(queue, args);
  });
}

void embedding_backward(const Queue& queue, const EmbeddingBackwardArgs& args) {
  with_number(args.type, [&]<class T>(T) { backward<T>(queue, args); });
}

}  // namespace sluice::cuda
