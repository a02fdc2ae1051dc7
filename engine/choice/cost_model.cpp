#include "engine/choice/cost_model.h"

#include <algorithm>
#include <cmath>

#include "kernels/cudnn/cudnn.h"

namespace sluice {
namespace {

constexpr double kProductShareOfPeak = 0.65;      // what a large GEMM reaches
constexpr double kSmallProductShareOfPeak = 0.4;  // what a step's GEMM reaches
constexpr double kTensorColumns = 8.0;            // the fewest rows that a tensor core multiplies
constexpr int kLargestCluster = 16;

// One layer of the stack as the formulas want it.
struct Layer {
  double input, hidden, gates, directions;  // I, H, G, D
  double recurrent_gates;                   // G, or 0 of a cell without R
  double element;                           // bytes
  double rows, steps, batch, alive;         // N, T, B and the mean rows of a step

  double input_flops() const { return 2.0 * rows * gates * hidden * input * directions; }
  double input_bytes() const { return rows * (input + gates * hidden * directions) * element; }
  double step_flops() const {
    return 2.0 * alive * recurrent_gates * hidden * hidden;
  }  // one direction
  double weight_bytes() const {
    return recurrent_gates * hidden * hidden * element;
  }  // one direction
};

Layer layer_of(const RecurrentConfig& config, const PassShape& shape, int layer) {
  const CellSpec& cell = spec_of(config.cell);
  const double steps = std::max(1, shape.steps);
  return {static_cast<double>(layer == 0 ? config.input_size : config.output_size()),
          static_cast<double>(config.hidden_size),
          static_cast<double>(cell.gates),
          static_cast<double>(config.directions()),
          cell.recurrent_matrix ? static_cast<double>(cell.gates) : 0.0,
          static_cast<double>(size_of(config.data_type)),
          static_cast<double>(shape.rows),
          steps,
          static_cast<double>(shape.batch),
          static_cast<double>(shape.rows) / steps};
}

// Everything outside the time loop.
PassTime outside_loop(const Layer& layer, double flops_per_second, const GpuRates& rates,
                      double share) {
  const double rate = flops_per_second * share,
               bandwidth = rates.bandwidth * (share < 1 ? 0.85 : 1);
  const double gradient_flops =  // dx and dW_ih, then dW_hh
      2 * layer.input_flops() + layer.rows * layer.directions * layer.step_flops() / layer.alive;
  return {std::max(layer.input_flops() / rate, layer.input_bytes() / bandwidth),
          std::max(gradient_flops / rate, 3 * layer.input_bytes() / bandwidth)};
}

using LatencyOf = double GpuRates::Latency::*;

// How a group of blocks takes rows through the steps; `columns`: those that it multiplies;
// `kept_bytes`: weights that a block need not read again in each step.
struct Group {
  double blocks, rows, columns, waves, kept_bytes;
};

double persistent_step(const Layer& layer, double flops_per_second, const GpuRates& rates,
                       const GpuRates::Latency& exchange, const Group& group, LatencyOf which,
                       double exchanged_slots) {
  const double flops =
      2.0 * layer.recurrent_gates * layer.hidden * layer.hidden / group.blocks * group.columns;
  const double product = flops / (flops_per_second / rates.multiprocessors);
  const double streamed = std::max(0.0, layer.weight_bytes() / group.blocks - group.kept_bytes) /
                          (rates.weight_bytes_per_clock * rates.clock);
  const double state = group.blocks == 1
                           ? 0.0
                           : exchanged_slots * group.rows * layer.hidden * layer.element /
                                 (rates.exchange_bytes_per_clock * rates.clock);
  return exchange.*which + rates.pointwise.*which + std::max(product, streamed) + state;
}

const GpuRates::Latency& exchange_of(const GpuRates& rates, PersistentKind kind) {
  return kind == PersistentKind::block     ? rates.block_exchange
         : kind == PersistentKind::cluster ? rates.cluster_exchange
                                           : rates.grid_exchange;
}

// Of H numbers a row, what a step sends from block to block.
double exchanged_slots(const PersistentKernel& kernel, const Layer& layer) {
  switch (kernel.matrix) {
    case PersistentMatrix::none: break;
    case PersistentMatrix::rows: return 1;
    case PersistentMatrix::columns: return layer.gates;
    case PersistentMatrix::scattered: return 4 / layer.element;  // float32 sums
  }
  return 0;
}

PassTime persistent_time(const RecurrentConfig& config, const PassShape& shape,
                         const GpuRates& rates, const PersistentFit& forward,
                         const PersistentFit& backward, LatencyOf which, double share) {
  const double peak = rates.products(config.data_type, config.math);
  PassTime time;
  for (int l = 0; l < config.num_layers; ++l) {
    const Layer layer = layer_of(config, shape, l);
    const PassTime outside = outside_loop(layer, peak, rates, share);
    const auto loop = [&](const PersistentFit& fit) {
      const Group group{static_cast<double>(fit.blocks),
                        std::min(static_cast<double>(fit.rows), static_cast<double>(shape.batch)),
                        static_cast<double>(fit.rows), static_cast<double>(fit.waves()),
                        static_cast<double>(fit.kept_bytes)};
      return group.waves * layer.steps *
             persistent_step(layer, peak, rates, exchange_of(rates, fit.request.kind), group, which,
                             exchanged_slots(fit.kernel, layer));
    };
    time.forward += outside.forward + loop(forward);
    time.backward += outside.backward + loop(backward);
  }
  return time;
}

}  // namespace

CostPrediction persistent_cost(const RecurrentConfig& config, const PassShape& shape,
                               const GpuRates& rates, const PersistentFit& forward,
                               const PersistentFit& backward) {
  const auto time = [&](LatencyOf which, double share) {
    return persistent_time(config, shape, rates, forward, backward, which, share);
  };
  return {time(&GpuRates::Latency::target, kProductShareOfPeak),
          time(&GpuRates::Latency::floor, 1.0)};
}

CostPrediction stepwise_cost(const RecurrentConfig& config, const PassShape& shape,
                             const GpuRates& rates) {
  const double peak = rates.products(config.data_type, config.math);
  const auto time = [&](double large_share, double small_share, double kernels_idle) {
    PassTime total;
    for (int l = 0; l < config.num_layers; ++l) {
      const Layer layer = layer_of(config, shape, l);
      const PassTime outside = outside_loop(layer, peak, rates, large_share);
      const int kernels = layer.recurrent_gates > 0 ? 2 : 1;  // without R there is no product
      const double product =
          kernels == 1
              ? 0.0
              : std::max({layer.step_flops() / (peak * small_share),
                          layer.weight_bytes() / rates.cache_bandwidth,
                          kernels_idle * rates.smallest_kernel * (1 + layer.hidden / 1024)});
      const double cell = std::max(
          6 * layer.alive * layer.gates * layer.hidden * layer.element / rates.cache_bandwidth,
          kernels_idle * rates.smallest_kernel);
      const double step = product + cell + kernels_idle * kernels * rates.dependent_kernel;
      total.forward += outside.forward + layer.directions * layer.steps * step;
      total.backward += outside.backward + layer.directions * layer.steps * step;
    }
    return total;
  };
  return {time(kProductShareOfPeak, kSmallProductShareOfPeak, 1.0), time(1.0, 1.0, 0.0)};
}

CostPrediction cudnn_cost(const RecurrentConfig& config, const PassShape& shape,
                          const GpuRates& rates) {
  // Seconds a step. Standard and persistent: FlashRNN's table on an H100 (LSTM, H 768, B 16). Small
  // hidden: an estimate.
  constexpr double kStandard = 6.8e-6, kPersistent = 1.96e-6, kSmallHidden = 1.5e-6;
  const CudnnAlgorithm best =
      cudnn_best({.cell = config.cell,
                  .type = config.data_type,
                  .math = config.math,
                  .input_size = config.input_size,
                  .hidden_size = config.hidden_size,
                  .num_layers = config.num_layers,
                  .bidirectional = config.bidirectional},
                 {.steps = shape.steps,
                  .batch = shape.batch,
                  .equal_lengths = shape.rows == std::int64_t{shape.steps} * shape.batch,
                  .training = shape.training});
  const double least = best == CudnnAlgorithm::persist_static_small_h ? kSmallHidden
                       : best == CudnnAlgorithm::persist_static       ? kPersistent
                                                                      : kStandard;
  const double peak = rates.products(config.data_type, config.math);
  CostPrediction cost = stepwise_cost(config, shape, rates);
  cost.predicted = {};
  for (int l = 0; l < config.num_layers; ++l) {
    const Layer layer = layer_of(config, shape, l);
    const PassTime outside = outside_loop(layer, peak, rates, kProductShareOfPeak);
    const double arithmetic = layer.step_flops() / (peak * kSmallProductShareOfPeak);
    const double step = std::max(arithmetic, least);
    cost.predicted.forward += outside.forward + layer.directions * layer.steps * step;
    cost.predicted.backward += outside.backward + layer.directions * layer.steps * step * 1.25;
  }
  return cost;
}

namespace {

// The limit with groups of one size. A step of either pass exchanges H numbers a row: h, or sums of
// dh.
PassTime limit_of_cut(const RecurrentConfig& config, const PassShape& shape, const GpuRates& rates,
                      PersistentKind kind, const Group& group) {
  const double peak = rates.products(config.data_type, config.math);
  PassTime sum, longest, arithmetic;  // of the layers
  for (int l = 0; l < config.num_layers; ++l) {
    const Layer layer = layer_of(config, shape, l);
    const PassTime outside = outside_loop(layer, peak, rates, 1.0);
    const double loop = layer.steps * persistent_step(layer, peak, rates, exchange_of(rates, kind),
                                                      group, &GpuRates::Latency::floor, 1);
    const double products = layer.steps * layer.directions * layer.step_flops() / peak;
    sum.forward += outside.forward + loop;
    sum.backward += outside.backward + loop;
    longest.forward = std::max(longest.forward, outside.forward + loop);
    longest.backward = std::max(longest.backward, outside.backward + loop);
    arithmetic.forward += outside.forward + products;
    arithmetic.backward += outside.backward + products;
  }
  if (config.bidirectional) return sum;
  return {std::max(longest.forward, arithmetic.forward),
          std::max(longest.backward, arithmetic.backward)};
}

}  // namespace

PassTime limit(const RecurrentConfig& config, const PassShape& shape, const GpuRates& rates) {
  const double alive = layer_of(config, shape, 0).alive;
  const double streams = std::max(1.0, alive * config.directions());
  const bool tensor_cores =
      uses_tensor_cores({config.cell, config.data_type, config.hidden_size, config.math});
  PassTime least;
  for (int blocks = 1; blocks <= rates.multiprocessors; ++blocks) {
    const double side_by_side = rates.multiprocessors / blocks;
    const double rows = streams / std::min(side_by_side, streams);
    const double columns = tensor_cores ? std::max(kTensorColumns, rows) : rows;
    const PersistentKind kind = blocks == 1                 ? PersistentKind::block
                                : blocks <= kLargestCluster ? PersistentKind::cluster
                                                            : PersistentKind::grid;
    const Group group{static_cast<double>(blocks), rows, columns, 1.0, rates.kept_weight_bytes};
    const PassTime time = limit_of_cut(config, shape, rates, kind, group);
    least.forward = blocks == 1 ? time.forward : std::min(least.forward, time.forward);
    least.backward = blocks == 1 ? time.backward : std::min(least.backward, time.backward);
  }
  return least;
}

}  // namespace sluice
