// What a GPU can do in a second and in a clock: the constants of the limit model and the cost
// model.
#pragma once

#include <string>
#include <vector>

#include "kernels/base/types.h"
#include "kernels/device/device.h"

namespace sluice {

/// Peak rates are dense, from NVIDIA's data sheets. A latency has a floor, what the hardware
/// allows, and a target, what a good kernel reaches; both are estimates until `measured` names a
/// machine and a date. gpu_rates.cpp says which value of which probe (tests/gpu/probes/) replaces
/// each.
struct GpuRates {
  std::string name;
  int multiprocessors = 0;
  double clock = 0.0;            ///< Hz
  double tensor_16 = 0.0;        ///< FLOP/s, bfloat16 and float16 with float32 sums
  double tensor_tf32 = 0.0;      ///< FLOP/s
  double float32 = 0.0;          ///< FLOP/s
  double float64 = 0.0;          ///< FLOP/s
  double bandwidth = 0.0;        ///< bytes/s of device memory
  double cache_bandwidth = 0.0;  ///< bytes/s of the L2 cache

  // Of one multiprocessor:
  double weight_bytes_per_clock = 0.0;    ///< weights from shared memory
  double exchange_bytes_per_clock = 0.0;  ///< state from other multiprocessors
  double kept_weight_bytes = 0.0;         ///< weights that its registers hold for all steps

  /// Seconds.
  struct Latency {
    double floor = 0.0, target = 0.0;
  };
  // One exchange of the hidden state, and the barrier that goes with it:
  Latency block_exchange;    ///< inside one block, through shared memory
  Latency cluster_exchange;  ///< between the blocks of a cluster, through distributed shared memory
  Latency grid_exchange;     ///< between blocks anywhere, through the L2 cache and flags
  Latency pointwise;         ///< a step's element-wise part inside a persistent kernel
  double dependent_kernel = 0.0;  ///< from a kernel's end to the start of the next in a CUDA graph
  double smallest_kernel = 0.0;   ///< a kernel that does next to nothing
  std::string measured;           ///< "" while the latencies are estimates

  /// FLOP/s of products with operands of `type`.
  double products(DataType type, MatrixMath math) const;
};

/// H200 (SXM): 132 SMs, 4.8 TB/s. Latencies: estimates.
GpuRates h200_rates();
/// H100 (SXM): the same, with 3.35 TB/s.
GpuRates h100_rates();

/// What people call the two above, "h200" and "h100": the GPUs whose rates are known.
const std::vector<std::string>& known_gpus();
/// Errors: usage for a name that is not among them.
GpuRates rates_named(const std::string& gpu);

/// Of the device at hand: those of the two above by name, others scaled from the H200's by the
/// number of multiprocessors.
GpuRates rates_of(const CudaDevice& device);

}  // namespace sluice
