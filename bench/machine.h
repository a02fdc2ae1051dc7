// The machine and the libraries that the times belong to.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>

#include "bench/options.h"
#include "host/device.h"

namespace sluice::bench {

/// Google Benchmark's context (date, host_name, num_cpus, mhz_per_cpu, caches, ...) and ours:
/// device, versions, clocks, options, TF32.
nlohmann::ordered_json describe_machine(const Device& device, const Options& options);

/// Of the CPU's last level, or of the GPU's L2, or what the options say; 0 if unknown.
std::size_t last_cache_bytes(const Queue& queue, const Options& options);

/// The GPU's or the processors' clocks now, for the context's "clocks".
nlohmann::ordered_json current_clocks(const Queue& queue);

}  // namespace sluice::bench
