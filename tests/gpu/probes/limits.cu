// What the GPU at hand allows the persistent kernels: multiprocessors, clocks, shared memory, L2,
// and how many clusters are resident at once, at the shared memory that their cuts ask for.
#include <cstdint>
#include <string>
#include <vector>

#include "bench/layers/reference_shapes.h"
#include "kernels/time_loops/persistent/persistent.h"
#include "tests/gpu/probes/device_timer.h"
#include "tests/gpu/probes/probe.h"

namespace sluice::probes {
namespace {

__global__ void __launch_bounds__(512, 1) spin_kernel(std::uint64_t nanoseconds, Span* span) {
  if (threadIdx.x != 0) return;
  const std::uint64_t end = global_nanoseconds() + nanoseconds;
  const Stopwatch watch;
  while (global_nanoseconds() < end) __nanosleep(20);
  span[blockIdx.x] = watch.read();
}

void measure_device(Finding& finding) {
  const Stream stream;
  const auto blocks =
      static_cast<unsigned>(full_or_small(attribute(cudaDevAttrMultiProcessorCount), 1));
  const DeviceArray<Span> spans(blocks);
  cuda::launch(spin_kernel, {.grid = {blocks}, .block = {32}, .stream = stream},
               small() ? 1000ull : 20'000'000ull, spans.data());
  std::vector<double> hertz;
  for (const Span& span : spans.get(stream)) {
    hertz.push_back(static_cast<double>(span.ticks) / static_cast<double>(span.nanoseconds) * 1e9);
  }
  cudaDeviceProp properties;
  cuda::check(cudaGetDeviceProperties(&properties, 0), "asking for the device's properties");
  finding.detail = properties.name;
  finding.add("compute_capability", attribute(cudaDevAttrComputeCapabilityMajor) * 10 +
                                        attribute(cudaDevAttrComputeCapabilityMinor));
  finding.add("multiprocessors", attribute(cudaDevAttrMultiProcessorCount));
  finding.add("clock_hz_idle", median(hertz));
  finding.add("most_clock_hz", attribute(cudaDevAttrClockRate) * 1e3);
  finding.add("l2_bytes", attribute(cudaDevAttrL2CacheSize));
  finding.add("shared_bytes_of_a_block", attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
  finding.add("shared_bytes_of_a_multiprocessor",
              attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor));
  finding.add("memory_bytes", static_cast<double>(properties.totalGlobalMem));
}

int resident_clusters(int blocks, int threads, std::size_t shared_bytes) {
  const auto kernel = reinterpret_cast<const void*>(&spin_kernel);
  cuda::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)),
              "asking for a kernel's dynamic shared memory");
  cuda::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
              "asking for clusters of more than 8 blocks");
  cudaLaunchAttribute cluster;
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = static_cast<unsigned>(blocks);
  cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = static_cast<unsigned>(blocks);
  config.blockDim = static_cast<unsigned>(threads);
  config.dynamicSmemBytes = shared_bytes;
  config.attrs = &cluster;
  config.numAttrs = 1;
  int clusters = 0;
  if (cudaOccupancyMaxActiveClusters(&clusters, kernel, &config) == cudaSuccess) return clusters;
  static_cast<void>(cudaGetLastError());
  return 0;
}

void measure_clusters(Finding& finding) {
  const PersistentLimits limits = persistent_limits();
  if (limits.major < 9) {
    finding.skipped = "clusters need compute capability 9.0";
    return;
  }
  for (int power = 1; power < 5; ++power) {
    const int blocks = 1 << power;
    const std::string name = "clusters_of_" + std::to_string(blocks);
    finding.add(name, limits.clusters[power]);
    for (const std::size_t kibibytes :
         {std::size_t{64}, std::size_t{120}, std::size_t{160}, std::size_t{200}}) {
      finding.add(name + "_at_" + std::to_string(kibibytes) + "KiB",
                  resident_clusters(blocks, 256, kibibytes * 1024));
    }
  }
}

/// How the clusters of the reference shapes are cut, and whether as many are resident as the cut
/// expects.
void measure_cuts(Finding& finding) {
  const PersistentLimits limits = persistent_limits();
  if (limits.major < 9) {
    finding.skipped = "clusters need compute capability 9.0";
    return;
  }
  for (const bench::ReferenceShape& shape : bench::reference_shapes) {
    for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
      PersistentRequest request;
      request.kind = PersistentKind::cluster;
      request.pass = pass;
      request.shape.cell = shape.cell;
      request.shape.type = DataType::bfloat16;
      request.shape.hidden_size = shape.hidden;
      request.batch = shape.batch;
      const PersistentFit fit = persistent_fit(limits, request);
      if (!fit.fits) continue;
      const std::string name = std::string(sluice::name_of(shape.cell)) + "_h" +
                               std::to_string(shape.hidden) + "_b" + std::to_string(shape.batch) +
                               "_t" + std::to_string(shape.steps) +
                               (pass == RecurrentPass::forward ? "_forward" : "_backward");
      const int resident = resident_clusters(fit.blocks, fit.threads, fit.shared_bytes);
      finding.add(name + "_blocks", fit.blocks);
      finding.add(name + "_shared_bytes", static_cast<double>(fit.shared_bytes));
      finding.add(name + "_clusters_resident", resident);
      finding.add(name + "_waves", fit.waves());
      if (resident < fit.groups_at_once) {
        finding.failed = name + ": the cut expects " + std::to_string(fit.groups_at_once) +
                         " clusters at once, and the GPU holds " + std::to_string(resident);
      }
    }
  }
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice::probes;
  return run_probe(argc, argv,
                   {"limits",
                    "what the GPU at hand allows the persistent kernels",
                    {{"limits/device", &measure_device},
                     {"limits/clusters", &measure_clusters},
                     {"limits/cuts", &measure_cuts}}});
}
