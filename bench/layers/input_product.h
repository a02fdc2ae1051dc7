// The products outside the time loop, alone: what a layer's time holds besides recurrence.
#pragma once

#include <cstdint>

#include "bench/layers/input_ring.h"
#include "bench/layers/layer_problem.h"
#include "host/buffer.h"

namespace sluice::bench {

/// How such entries are called in the report.
inline constexpr const char* kInputProduct = "input-product";

/// x W^T of every layer and direction over all rows, and in training dG W and dG^T x, by Sluice's
/// gemm. Later layers' inputs are taken from the first's ring.
class InputProduct {
 public:
  InputProduct(const Queue& queue, const LayerProblem& problem, const InputRing& ring);

  void run(std::uint64_t pass);

 private:
  Queue queue_;
  LayerProblem problem_;
  const InputRing& ring_;
  Buffer weights_, gates_, dx_;  // [G*H, in], [N, G*H], [N, in]; `in` of the widest layer
};

}  // namespace sluice::bench
