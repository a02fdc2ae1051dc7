// One launch of a kernel on memory of its own, and the least work it can be.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/measure/sampling.h"
#include "host/buffer.h"

namespace sluice::bench {

struct KernelBench {
  std::string name;                           ///< <kernel>/<shape>
  double flops = 0;                           ///< of products; 0 where memory is what counts
  double bytes = 0;                           ///< read and written at least
  std::function<Pass(const Queue&)> prepare;  ///< the pass owns its memory
};

std::vector<KernelBench> time_loop_kernels(bool small, DeviceKind device);  ///< products and cells
std::vector<KernelBench> training_kernels(bool small);  ///< those around the layer

/// Device memory of `count` random float32 numbers in [-1, 1), shared by the pass that uses it.
std::shared_ptr<Buffer> random_buffer(const Queue& queue, std::int64_t count);
/// Tokens of about Zipf's law, in [0, vocabulary).
std::shared_ptr<Buffer> token_buffer(const Queue& queue, std::int64_t count,
                                     std::int64_t vocabulary);
std::shared_ptr<Buffer> buffer(const Queue& queue, std::size_t bytes);  ///< zeros

}  // namespace sluice::bench
