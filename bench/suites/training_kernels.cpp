// The kernels around the recurrent layer: all of them are bound by memory.
#include "bench/suites/kernel_bench.h"
#include "engine/sequence_layout.h"
#include "kernels/arrays/bias.h"
#include "kernels/arrays/norm.h"
#include "kernels/arrays/rows.h"
#include "kernels/arrays/sort.h"
#include "kernels/device/device.h"
#include "kernels/losses/loss.h"
#include "kernels/optimizers/clip.h"
#include "kernels/optimizers/optimizer.h"
#include "kernels/sequences/dropout.h"
#include "kernels/sequences/embedding.h"
#include "kernels/sequences/pooling.h"

namespace sluice::bench {
namespace {

constexpr std::size_t kNumber = sizeof(float);
constexpr std::int32_t kSteps = 100, kBatch = 64;
constexpr std::int64_t kRows = std::int64_t{kSteps} * kBatch;

struct Sizes {
  std::int64_t features;    // E, H
  std::int64_t vocabulary;  // V
  std::int64_t parameters;
};

std::string of(const char* name, std::int64_t value) {
  return "/" + std::string(name) + std::to_string(value);
}

// An arrangement of kBatch rows of kSteps steps, on the device.
struct Arrangement {
  explicit Arrangement(const Queue& queue) : layout(SequenceLayout::equal(kSteps, kBatch)) {
    memory = buffer(queue, SequenceLayout::device_bytes(kRows, kSteps, kBatch));
    sequences = layout.upload(queue, memory->data());
  }
  SequenceLayout layout;
  std::shared_ptr<Buffer> memory;
  Sequences sequences;
};

KernelBench embedding(const Sizes& s, bool backward) {
  KernelBench bench;
  bench.name = std::string(backward ? "embedding_backward" : "embedding_forward") + of("N", kRows) +
               of("V", s.vocabulary) + of("E", s.features);
  const double numbers = backward ? static_cast<double>((kRows + s.vocabulary) * s.features)
                                  : 2.0 * static_cast<double>(kRows * s.features);
  bench.bytes = static_cast<double>(kNumber) * (numbers + kRows);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto table = random_buffer(queue, s.vocabulary * s.features),
         rows = random_buffer(queue, kRows * s.features);
    auto tokens = token_buffer(queue, kRows, s.vocabulary);
    const std::size_t bytes =
        embedding_backward_workspace_bytes(queue, DataType::float32, kRows, s.features);
    auto workspace = buffer(queue, bytes);
    if (!backward) {
      return [=](std::uint64_t) {
        embedding_forward(queue, {.rows = kRows,
                                  .embedding_size = s.features,
                                  .vocabulary = s.vocabulary,
                                  .table = table->data(),
                                  .tokens = tokens->as<std::int32_t>(),
                                  .out = rows->data()});
      };
    }
    return [=](std::uint64_t) {
      embedding_backward(queue, {.rows = kRows,
                                 .embedding_size = s.features,
                                 .vocabulary = s.vocabulary,
                                 .d_out = rows->data(),
                                 .tokens = tokens->as<std::int32_t>(),
                                 .d_table = table->data(),
                                 .workspace = workspace->data(),
                                 .workspace_bytes = bytes});
    };
  };
  return bench;
}

KernelBench sort(const Sizes& s) {
  KernelBench bench;
  bench.name = "sort_by_token" + of("N", kRows);
  bench.bytes = 3.0 * sizeof(std::int32_t) * kRows;
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto tokens = token_buffer(queue, kRows, s.vocabulary);
    auto sorted = buffer(queue, kRows * sizeof(std::int32_t)),
         positions = buffer(queue, kRows * sizeof(std::int32_t));
    const std::size_t bytes = sort_by_token_workspace_bytes(queue, kRows);
    auto workspace = buffer(queue, bytes);
    return [=](std::uint64_t) {
      sort_by_token(queue, {.count = kRows,
                            .tokens = tokens->as<std::int32_t>(),
                            .sorted_tokens = sorted->as<std::int32_t>(),
                            .positions = positions->as<std::int32_t>(),
                            .workspace = workspace->data(),
                            .workspace_bytes = bytes});
    };
  };
  return bench;
}

KernelBench dropout(const Sizes& s) {
  KernelBench bench;
  bench.name = "dropout_rows" + of("N", kRows) + of("E", s.features);
  bench.bytes = 2.0 * kNumber * static_cast<double>(kRows * s.features);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto arrangement = std::make_shared<Arrangement>(queue);
    auto x = random_buffer(queue, kRows * s.features),
         y = buffer(queue, kRows * s.features * kNumber);
    return [=](std::uint64_t) {
      dropout_rows(queue, {.sequences = arrangement->sequences,
                           .columns = s.features,
                           .rate = 0.2,
                           .x = x->data(),
                           .y = y->data()});
    };
  };
  return bench;
}

KernelBench pooling(const Sizes& s, Pooling how, bool backward) {
  KernelBench bench;
  const char* const name = how == Pooling::max ? "max" : how == Pooling::mean ? "mean" : "last";
  bench.name = std::string(backward ? "pool_backward_" : "pool_forward_") + name + of("N", kRows) +
               of("F", s.features);
  const double read = how == Pooling::last && !backward ? kBatch : kRows;
  bench.bytes = static_cast<double>(kNumber * s.features) * (read + kBatch);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto arrangement = std::make_shared<Arrangement>(queue);
    auto y = random_buffer(queue, kRows * s.features),
         out = buffer(queue, kBatch * s.features * kNumber);
    auto argmax = buffer(queue, kBatch * s.features * sizeof(std::int32_t));
    if (backward) {
      return [=](std::uint64_t) {
        pool_backward(queue, {.pooling = how,
                              .sequences = arrangement->sequences,
                              .features = s.features,
                              .d_out = out->data(),
                              .argmax = argmax->as<std::int32_t>(),
                              .dy = y->data()});
      };
    }
    return [=](std::uint64_t) {
      pool_forward(queue, {.pooling = how,
                           .sequences = arrangement->sequences,
                           .features = s.features,
                           .y = y->data(),
                           .out = out->data(),
                           .argmax = argmax->as<std::int32_t>()});
    };
  };
  return bench;
}

KernelBench column_sum_bench(const Sizes& s) {
  KernelBench bench;
  const std::int64_t columns = 4 * s.features;
  bench.name = "column_sum" + of("N", kRows) + of("columns", columns);
  bench.bytes = static_cast<double>(kNumber) * static_cast<double>(kRows * columns);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto x = random_buffer(queue, kRows * columns), out = buffer(queue, columns * kNumber);
    const std::size_t bytes = column_sum_workspace_bytes(DataType::float32, kRows, columns);
    auto workspace = buffer(queue, bytes);
    return [=](std::uint64_t) {
      column_sum(queue, {.rows = kRows,
                         .columns = columns,
                         .x = x->data(),
                         .ld = columns,
                         .out = out->data(),
                         .workspace = workspace->data(),
                         .workspace_bytes = bytes});
    };
  };
  return bench;
}

KernelBench add_bias_bench(const Sizes& s) {
  KernelBench bench;
  bench.name = "add_bias" + of("N", kRows) + of("columns", s.features);
  bench.bytes = 2.0 * kNumber * static_cast<double>(kRows * s.features);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto x = buffer(queue, kRows * s.features * kNumber), bias = random_buffer(queue, s.features);
    return [=](std::uint64_t) {
      add_bias(queue, {.rows = kRows,
                       .columns = s.features,
                       .x = x->data(),
                       .ld = s.features,
                       .bias = bias->data()});
    };
  };
  return bench;
}

KernelBench gather(const Sizes& s) {
  KernelBench bench;
  bench.name = "gather_rows" + of("N", kRows) + of("columns", s.features);
  bench.bytes = 2.0 * kNumber * static_cast<double>(kRows * s.features);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto source = random_buffer(queue, kRows * s.features),
         to = buffer(queue, kRows * s.features * kNumber);
    auto index = token_buffer(queue, kRows, kRows);
    return [=](std::uint64_t) {
      gather_rows(queue, {.rows = kRows,
                          .columns = s.features,
                          .source = source->data(),
                          .ld_source = s.features,
                          .index = index->as<std::int32_t>(),
                          .to = to->data(),
                          .ld_to = s.features});
    };
  };
  return bench;
}

KernelBench softmax() {
  constexpr std::int64_t rows = 4096, classes = 16;
  KernelBench bench;
  bench.name = "softmax_cross_entropy" + of("B", rows) + of("C", classes);
  bench.bytes = 2.0 * kNumber * rows * classes;
  bench.prepare = [](const Queue& queue) -> Pass {
    auto logits = random_buffer(queue, rows * classes),
         gradient = buffer(queue, rows * classes * kNumber);
    auto labels = token_buffer(queue, rows, classes), totals = buffer(queue, 3 * sizeof(double));
    const std::size_t bytes = cross_entropy_workspace_bytes(rows);
    auto workspace = buffer(queue, bytes);
    return [=](std::uint64_t) {
      softmax_cross_entropy(queue, {.rows = rows,
                                    .classes = classes,
                                    .logits = logits->data(),
                                    .labels = labels->as<std::int32_t>(),
                                    .d_logits = gradient->data(),
                                    .totals = totals->as<double>(),
                                    .workspace = workspace->data(),
                                    .workspace_bytes = bytes});
    };
  };
  return bench;
}

KernelBench norm(const Sizes& s) {
  KernelBench bench;
  bench.name = "sum_of_squares" + of("count", s.parameters);
  bench.bytes = static_cast<double>(kNumber) * static_cast<double>(s.parameters);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto x = random_buffer(queue, s.parameters);
    auto out = buffer(queue, sizeof(double));
    const std::size_t bytes = sum_of_squares_workspace_bytes(s.parameters);
    auto workspace = buffer(queue, bytes);
    return [=](std::uint64_t) {
      sum_of_squares(queue, {.count = s.parameters,
                             .x = x->data(),
                             .out = out->as<double>(),
                             .workspace = workspace->data(),
                             .workspace_bytes = bytes});
    };
  };
  return bench;
}

KernelBench clip(const Sizes& s) {
  KernelBench bench;
  bench.name = "clip_by_value" + of("count", s.parameters);
  bench.bytes = 2.0 * kNumber * static_cast<double>(s.parameters);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto x = random_buffer(queue, s.parameters);
    return [=](std::uint64_t) {
      clip_by_value(queue, {.count = s.parameters, .x = x->data(), .limit = 0.5});
    };
  };
  return bench;
}

KernelBench adam_bench(const Sizes& s) {
  KernelBench bench;
  bench.name = "adam" + of("count", s.parameters);
  bench.bytes = 7.0 * kNumber * static_cast<double>(s.parameters);
  bench.prepare = [=](const Queue& queue) -> Pass {
    auto p = random_buffer(queue, s.parameters), g = random_buffer(queue, s.parameters);
    auto m = buffer(queue, s.parameters * kNumber), v = buffer(queue, s.parameters * kNumber);
    auto rate = buffer(queue, sizeof(float)), step = buffer(queue, sizeof(std::uint32_t));
    return [=](std::uint64_t) {
      adam(queue, {.count = s.parameters,
                   .parameters = p->data(),
                   .gradients = g->data(),
                   .average = m->data(),
                   .square_average = v->data(),
                   .learning_rate = rate->as<float>(),
                   .step = step->as<std::uint32_t>()});
    };
  };
  return bench;
}

}  // namespace

std::vector<KernelBench> training_kernels(bool small) {
  const Sizes s = small ? Sizes{128, 10000, 1 << 20} : Sizes{1024, 100000, 1 << 25};
  return {embedding(s, false),
          embedding(s, true),
          sort(s),
          dropout(s),
          pooling(s, Pooling::last, false),
          pooling(s, Pooling::mean, false),
          pooling(s, Pooling::max, false),
          pooling(s, Pooling::max, true),
          column_sum_bench(s),
          add_bias_bench(s),
          gather(s),
          softmax(),
          norm(s),
          clip(s),
          adam_bench(s)};
}

}  // namespace sluice::bench
