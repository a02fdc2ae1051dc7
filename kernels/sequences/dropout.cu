// Dropout: a thread draws one block of four words and treats the four units they belong to.
#include "kernels/sequences/dropout.h"

#include "kernels/base/dropout_factor.h"
#include "kernels/base/number.h"
#include "kernels/device/row_grid.h"

namespace sluice::cuda {
namespace {

template <class T>
__global__ void rows_kernel(Sequences sequences, std::int64_t first_row, std::int64_t rows,
                            std::int64_t columns, float rate, Wide<T> scale, RandomStream random,
                            const T* x, T* y) {
  const std::int64_t quads = (columns + 3) / 4;
  for_row_elements(rows, quads, [=](std::int64_t row_of_these, std::int64_t quad) {
    const std::int64_t packed_row = first_row + row_of_these;
    const std::int32_t step = sequences.step_of_row[packed_row];
    const std::int64_t row = packed_row - sequences.offsets[step];
    const std::int64_t given_row = sequences.order == nullptr ? row : sequences.order[row];
    const Philox::Block block =
        random.block(0, static_cast<std::uint32_t>(given_row), static_cast<std::uint32_t>(quad));
    const std::int64_t at = packed_row * columns + quad * 4;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (quad * 4 + i < columns) {
        y[at + i] = narrow<T>(widen(x[at + i]) * dropout_factor(block.word[i], rate, scale));
      }
    }
  });
}

template <class T>
__global__ void mask_kernel(std::int64_t planes, std::int64_t rows, std::int64_t columns,
                            float rate, Wide<T> scale, RandomStream random,
                            const std::int32_t* order, T* mask) {
  const std::int64_t units = planes * columns, quads = (units + 3) / 4;
  for_row_elements(rows, quads, [=](std::int64_t row, std::int64_t quad) {
    const std::int64_t given_row = order == nullptr ? row : order[row];
    const Philox::Block block =
        random.block(0, static_cast<std::uint32_t>(given_row), static_cast<std::uint32_t>(quad));
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const std::int64_t unit = quad * 4 + i;
      if (unit < units) {
        const std::int64_t plane = unit / columns, column = unit % columns;
        mask[(plane * rows + row) * columns + column] =
            narrow<T>(dropout_factor(block.word[i], rate, scale));
      }
    }
  });
}

template <class T>
void rows(const Queue& queue, const DropoutRowsArgs& args) {
  const Sequences& s = args.sequences;
  const std::int64_t first = args.begin == 0 ? 0 : s.host_offsets[args.begin];
  const std::int64_t count = (args.end >= s.steps ? s.rows : s.host_offsets[args.end]) - first;
  launch(rows_kernel<T>, row_grid(queue, count, (args.columns + 3) / 4), args.sequences, first,
         count, args.columns, static_cast<float>(args.rate),
         static_cast<Wide<T>>(1.0 / (1.0 - args.rate)), args.random, static_cast<const T*>(args.x),
         static_cast<T*>(args.y));
}

template <class T>
void mask(const Queue& queue, const DropoutMaskArgs& args) {
  launch(mask_kernel<T>, row_grid(queue, args.rows, (args.planes * args.columns + 3) / 4),
         args.planes, args.rows, args.columns, static_cast<float>(args.rate),
         static_cast<Wide<T>>(1.0 / (1.0 - args.rate)), args.random, args.order,
         static_cast<T*>(args.mask));
}

}  // namespace

void dropout_rows(const Queue& queue, const DropoutRowsArgs& args) {
  with_number(args.type, [&]<class T>(T) { rows<T>(queue, args); });
}

void dropout_mask(const Queue& queue, const DropoutMaskArgs& args) {
  with_number(args.type, [&]<class T>(T) { mask<T>(queue, args); });
}

}  // namespace sluice::cuda
