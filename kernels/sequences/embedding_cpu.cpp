#include "kernels/sequences/embedding.h"

#include <algorithm>
#include <cstring>

#include "kernels/arrays/sort.h"
#include "kernels/device/tiles.h"
#include "kernels/sequences/embedding_chunks.h"

namespace sluice::cpu {
namespace {

constexpr std::int64_t kPrefetchDistance = 8;  // rows; sorted positions jump about in memory

template <class T>
void add(std::int64_t count, const T* __restrict x, Wide<T>* __restrict sum) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += widen(x[i]);
}

template <class From, class To>
void put(std::int64_t count, const From* __restrict from, To* __restrict to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = narrow<To>(widen(from[i]));
}

template <class T>
void sum_chunk(const EmbeddingSegments<T>& s, std::int64_t chunk) {
  const std::int64_t end = s.end_of(chunk), size = s.embedding_size;
  for (std::int64_t begin = chunk * kEmbeddingChunk; begin < end;) {
    std::int64_t run_end = begin + 1;
    while (run_end < end && s.tokens[run_end] == s.tokens[begin]) ++run_end;
    if (s.has_row(s.tokens[begin])) {
      Wide<T>* to = s.target(chunk, begin, run_end);
      put(size, s.row(begin), to);
      for (std::int64_t i = begin + 1; i < run_end; ++i) {
        const std::int64_t ahead = std::min(i + kPrefetchDistance, end - 1);
        const char* row = reinterpret_cast<const char*>(s.row(ahead));
        for (std::int64_t byte = 0; byte < size * std::int64_t{sizeof(T)}; byte += 64) {
          __builtin_prefetch(row + byte);
        }
        add(size, s.row(i), to);
      }
    }
    begin = run_end;
  }
}

template <class T>
void join_partials(const EmbeddingSegments<T>& s, std::int64_t chunk) {
  if (!s.owns_crossing_run(chunk)) return;
  const std::int32_t token = s.tokens[s.end_of(chunk)];
  Wide<T>* to = s.d_table + token * s.embedding_size;
  std::copy_n(s.tail(chunk), s.embedding_size, to);
  for (std::int64_t next = chunk + 1; next * kEmbeddingChunk < s.rows; ++next) {
    if (s.tokens[next * kEmbeddingChunk] != token) break;
    add(s.embedding_size, s.head(next), to);
  }
}

template <class T>
void backward(const Queue& queue, const EmbeddingBackwardArgs& args) {
  auto* workspace = static_cast<char*>(args.workspace);
  const EmbeddingWorkspace parts(args.type, args.rows, args.embedding_size, 0);
  EmbeddingSegments<T> s;
  s.rows = args.rows;
  s.embedding_size = args.embedding_size;
  s.vocabulary = args.vocabulary;
  s.padding_index = args.padding_index;
  s.d_out = static_cast<const T*>(args.d_out);
  s.ld_d_out = args.ld_d_out == 0 ? args.embedding_size : args.ld_d_out;
  s.d_table = static_cast<Wide<T>*>(args.d_table);

  parallel_tiles(queue, args.vocabulary * args.embedding_size, 65536,
                 [&](std::int64_t i, std::int64_t end) {
                   std::memset(s.d_table + i, 0, (end - i) * sizeof(Wide<T>));
                 });
  if (args.rows == 0) return;

  auto* tokens = reinterpret_cast<std::int32_t*>(workspace);
  auto* positions = reinterpret_cast<std::int32_t*>(workspace + parts.positions);
  cpu::sort_by_token(queue, {.count = args.rows,
                             .tokens = args.tokens,
                             .sorted_tokens = tokens,
                             .positions = positions,
                             .workspace = workspace + parts.sort,
                             .workspace_bytes = args.workspace_bytes - parts.sort});
  s.tokens = tokens;
  s.positions = positions;
  s.partials = reinterpret_cast<Wide<T>*>(workspace + parts.partials);
  const std::int64_t chunks = tile_count(args.rows, kEmbeddingChunk);
  parallel_for(queue, chunks, [&](std::int64_t chunk) { sum_chunk(s, chunk); });
  parallel_for(queue, chunks, [&](std::int64_t chunk) { join_partials(s, chunk); });
}

template <class Table, class T>
void forward(const Queue& queue, const EmbeddingForwardArgs& args) {
  const std::int64_t size = args.embedding_size;
  const auto* table = static_cast<const Table*>(args.table);
  auto* out = static_cast<T*>(args.out);
  parallel_tiles(queue, args.rows, rows_per_tile(size), [&](std::int64_t n, std::int64_t end) {
    for (; n < end; ++n) {
      const std::int64_t token = args.tokens[n];
      if (token < 0 || token >= args.vocabulary) {
        std::memset(out + n * size, 0, size * sizeof(T));
      } else {
        put(size, table + token * size, out + n * size);
      }
    }
  });
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

}  // namespace sluice::cpu
