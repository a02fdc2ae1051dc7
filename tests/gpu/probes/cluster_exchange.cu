// How long one exchange between the blocks of a cluster takes: rounds of st.async and mbarrier, as
// the persistent kernels make them, in one cluster and in as many as are resident.
#include "tests/gpu/probes/exchange_rounds.h"

namespace sluice::probes {
namespace {

/// Clusters of `blocks` that run at once with `shared_bytes` each block.
int resident_clusters(int blocks, std::size_t shared_bytes) {
  const auto kernel = reinterpret_cast<const void*>(&rounds_kernel<cuda::ClusterExchange>);
  cuda::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
              "asking for clusters of more than 8 blocks");
  cuda::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)),
              "asking for a kernel's dynamic shared memory");
  cudaLaunchAttribute cluster;
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = static_cast<unsigned>(blocks);
  cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = static_cast<unsigned>(blocks);
  config.blockDim = 256;
  config.dynamicSmemBytes = shared_bytes;
  config.attrs = &cluster;
  config.numAttrs = 1;
  int clusters = 0;
  if (cudaOccupancyMaxActiveClusters(&clusters, kernel, &config) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
  }
  return clusters;
}

void measure(Finding& finding, int blocks) {
  if (attribute(cudaDevAttrComputeCapabilityMajor) < 9) {
    finding.skipped = "clusters need compute capability 9.0";
    return;
  }
  const int clusters = resident_clusters(blocks, 200 * 1024);  // a multiprocessor each
  if (clusters < 1) {
    finding.skipped = "no cluster of " + std::to_string(blocks) + " blocks is resident here";
    return;
  }
  const int rounds = full_or_small(10000, 5);
  std::vector<int> sizes;
  for (int bytes = 2048; bytes <= full_or_small(32768, 4096); bytes *= 2) sizes.push_back(bytes);
  measure_sizes<cuda::ClusterExchange>(finding, {.blocks = blocks, .rounds = rounds}, sizes);
  const int at_once = small() ? 2 : clusters;
  const RoundsTime all = time_rounds<cuda::ClusterExchange>(
      {.blocks = blocks, .groups = at_once, .bytes = 8192, .rounds = rounds});
  if (!all.wrong.empty()) finding.failed = all.wrong;
  finding.add("clusters_at_once", at_once);
  finding.add("us_per_round_8192B_all_clusters", all.microseconds);
}

}  // namespace
}  // namespace sluice::probes

int main(int argc, char** argv) {
  using namespace sluice::probes;
  Probe probe{
      "cluster_exchange", "rounds of the cluster's exchange, 2 to 16 blocks, 2 to 32 KiB", {}};
  for (const int blocks : {2, 4, 8, 16}) {
    probe.cases.push_back({"cluster_exchange/blocks" + std::to_string(blocks),
                           [blocks](Finding& finding) { measure(finding, blocks); }});
  }
  return run_probe(argc, argv, probe);
}
