#include "engine/choice/gpu_rates.h"

#include "kernels/base/error.h"

namespace sluice {
namespace {

constexpr double kTera = 1e12, kMicro = 1e-6;

// What Hopper boards share. Peak rates: NVIDIA H100 and H200 data sheets, dense. A multiprocessor's
// share of them is 2048 multiply-adds a clock in 16 bits and 1024 in TF32; 4096 and 2048, which are
// found as "FMA", are operations, of which a multiply-add is two. The exchange and
// pointwise latencies are estimates; the gap between the kernels of a graph and the shortest kernel
// are what is commonly reported for this generation. Beside a constant: the probe's case and value
// (tests/gpu/probes/README.md) that replace it once a GPU has run them.
GpuRates hopper(const char* name, double bandwidth) {
  GpuRates rates;
  rates.name = name;
  rates.multiprocessors = 132;  // limits/device multiprocessors
  rates.clock = 1.83e9;         // cluster_exchange/blocks16 clock_hz
  // mma.sync: the share mma/bfloat16 most_multiply_adds_per_clock / 2048 of it, mma/tf32's / 1024
  rates.tensor_16 = 989.4 * kTera;
  rates.tensor_tf32 = 494.7 * kTera;
  rates.float32 = 66.9 * kTera;
  rates.float64 = 33.5 * kTera;
  rates.bandwidth = bandwidth;          // launches/memory bytes_per_second
  rates.cache_bandwidth = 5.5 * kTera;  // launches/cache bytes_per_second
  rates.weight_bytes_per_clock = 128.0;
  rates.exchange_bytes_per_clock = 64.0;  // cluster_exchange/blocks16 bytes_per_clock
  rates.kept_weight_bytes = 128.0 * 1024;
  rates.block_exchange = {0.06 * kMicro, 0.12 * kMicro};    // flag_barrier/block us_per_round_2048B
  rates.cluster_exchange = {0.15 * kMicro, 0.30 * kMicro};  // cluster_exchange/blocks16 latency_us
  // flag_barrier/grid48 us_per_round_plain, latency_us
  rates.grid_exchange = {0.50 * kMicro, 0.80 * kMicro};
  rates.pointwise = {0.05 * kMicro, 0.09 * kMicro};
  rates.dependent_kernel = 1.3 * kMicro;  // launches/whole_gpu us_from_end_to_start_in_graph
  rates.smallest_kernel = 1.2 * kMicro;   // launches/one_block us_of_smallest_kernel
  return rates;
}

}  // namespace

double GpuRates::products(DataType type, MatrixMath math) const {
  switch (type) {
    case DataType::bfloat16:
    case DataType::float16: return tensor_16;
    case DataType::float64: return float64;
    case DataType::float32: break;
  }
  return math == MatrixMath::tf32 ? tensor_tf32 : float32;
}

GpuRates h200_rates() { return hopper("NVIDIA H200", 4.8 * kTera); }
GpuRates h100_rates() { return hopper("NVIDIA H100", 3.35 * kTera); }

const std::vector<std::string>& known_gpus() {
  static const std::vector<std::string> names{"h200", "h100"};
  return names;
}

GpuRates rates_named(const std::string& gpu) {
  if (gpu == "h200") return h200_rates();
  if (gpu == "h100") return h100_rates();
  std::string known;
  for (const std::string& name : known_gpus()) known += (known.empty() ? "" : ", ") + name;
  throw Error::usage("no rates are known of a GPU called '" + gpu + "'; expected one of " + known);
}

GpuRates rates_of(const CudaDevice& device) {
  if (device.name.find("H200") != std::string::npos) return h200_rates();
  if (device.name.find("H100") != std::string::npos) return h100_rates();
  GpuRates rates = h200_rates();
  const double share = static_cast<double>(device.multiprocessors) / rates.multiprocessors;
  rates.name = device.name;
  rates.multiprocessors = device.multiprocessors;
  for (double* rate : {&rates.tensor_16, &rates.tensor_tf32, &rates.float32, &rates.float64,
                       &rates.bandwidth, &rates.cache_bandwidth}) {
    *rate *= share;
  }
  return rates;
}

}  // namespace sluice
