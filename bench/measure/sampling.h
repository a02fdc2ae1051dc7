// Times of several implementations of one thing, taken in turn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/measure/recorded_passes.h"
#include "kernels/base/queue.h"

namespace sluice::bench {

struct SamplingOptions {
  double min_seconds = 0.05;  ///< a repetition runs as many passes as this takes, one at least
  int repetitions = 10;       ///< 3 where one pass takes over two seconds
  bool graphs =
      true;  ///< on CUDA passes are launched as graphs, up to 16 in one, where they can be
};

/// Seconds of one pass, one number for each repetition.
struct Samples {
  std::int64_t iterations = 0;  ///< passes in a repetition
  std::vector<double> real;     ///< CPU: the monotonic clock; CUDA: events around the passes
  std::vector<double> cpu;      ///< of this process, all threads
  bool graph = false;           ///< whether the passes were launched as graphs
  std::string error = {};       ///< why there are none; or, beside some, why there are fewer
};

/// The i-th repetition of every implementation before the next one of any, so that what changes on
/// the machine meanwhile meets all of them. On the CPU each begins after a rest, so that no threads
/// of the one before spin on. Before its repetition each runs one pass that does not
/// count, and several at the start. Pass numbers rise throughout.
///
/// An implementation that throws takes no further part: its samples are empty and have the error;
/// the others go on. Where it broke the device's context nothing can go on: the others keep the
/// repetitions that they have, with an error that says so.
std::vector<Samples> sample(const Queue& queue, const std::vector<Pass>& implementations,
                            const SamplingOptions& options);

}  // namespace sluice::bench
