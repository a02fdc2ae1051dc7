// Packs recurrent weights for the persistent kernels, and asks the GPU for their limits.
#include "kernels/persistent.h"

#include <cstring>
#include <map>
#include <mutex>

#include "kernels/persistent/products.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 256;

/// One thread a piece of [unit tile][chunk][plane][piece].
template <class Product>
__global__ void __launch_bounds__(kThreads)
    pack_kernel(geometry::StationaryShape shape, bool backward, int hidden, const typename Product::Number* weights,
                uint4* packed) {
  using Operand = typename Product::Operand;
  constexpr int count = Product::numbers_in_piece;
  constexpr int chunk_numbers = geometry::chunk_bytes / static_cast<int>(sizeof(Operand));
  for (std::int64_t i = grid_index(); i < shape.pieces(); i += grid_stride()) {
    const int piece = static_cast<int>(i % geometry::fragment_pieces);
    const std::int64_t fragment = i / geometry::fragment_pieces;
    const int plane = static_cast<int>(fragment % shape.planes);
    const int chunk = static_cast<int>(fragment / shape.planes % shape.chunks());
    const int tile = static_cast<int>(fragment / shape.planes / shape.chunks());
    const int segment = chunk / shape.segment_chunks;
    const int first_k = (chunk - segment * shape.segment_chunks) * chunk_numbers;
    Operand numbers[count];
#pragma unroll
    for (int j = 0; j < count; ++j) {
      const int unit = tile * geometry::tile_units + Product::unit_of(piece, j);
      const int k = first_k + Product::k_of(piece, j);
      float weight = 0.0f;
      if (unit < hidden && k < hidden) {
        // Forward: R's row of a gate's unit. Backward: R^T, k being a unit of gate `segment`.
        const std::int64_t row =
            backward ? std::int64_t{segment} * hidden + k : std::int64_t{plane} * hidden + unit;
        weight = widen(weights[row * hidden + (backward ? unit : k)]);
      }
      numbers[j] = Product::operand(weight);
    }
    uint4 together;
    std::memcpy(&together, numbers, sizeof together);
    packed[i] = together;
  }
}

/// Stands for a persistent kernel: 512 threads, all of an SM's shared memory.
__global__ void __launch_bounds__(512) cluster_probe() {}

PersistentLimits ask() {
  PersistentLimits limits;
  int device = 0, count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0 || cudaGetDevice(&device) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return limits;
  }
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, device), "asking for the device's limits");
    return value;
  };
  limits.major = attribute(cudaDevAttrComputeCapabilityMajor);
  limits.minor = attribute(cudaDevAttrComputeCapabilityMinor);
  limits.multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
  limits.shared_bytes = static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
  limits.clusters[0] = limits.multiprocessors;
  if (limits.major < 9) return limits;
  const auto kernel = reinterpret_cast<const void*>(&cluster_probe);
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(limits.shared_bytes)),
        "asking for a kernel's dynamic shared memory");
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
        "asking for clusters of more than 8 blocks");
  for (int power = 1; power < 5; ++power) {
    const unsigned blocks = 1u << power;
    cudaLaunchAttribute cluster;
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = blocks;
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = blocks;
    config.blockDim = 512;
    config.dynamicSmemBytes = limits.shared_bytes;
    config.attrs = &cluster;
    config.numAttrs = 1;
    if (cudaOccupancyMaxActiveClusters(&limits.clusters[power], kernel, &config) != cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      limits.clusters[power] = 0;
    }
  }
  return limits;
}

template <class Product>
void pack(const Queue& queue, const RecurrenceShape& shape, RecurrentPass pass, const void* weights,
          void* packed) {
  const bool backward = pass == RecurrentPass::backward;
  const geometry::StationaryShape matrix =
      geometry::stationary_shape(static_cast<int>(shape.hidden_size), gate_count(shape.cell), backward,
                                 sizeof(typename Product::Operand));
  launch(pack_kernel<Product>,
         {.grid = grid_for(matrix.pieces(), kThreads), .block = kThreads, .stream = queue.stream},
         matrix, backward, static_cast<int>(shape.hidden_size),
         static_cast<const typename Product::Number*>(weights), static_cast<uint4*>(packed));
}

}  // namespace

PersistentLimits persistent_limits() {
  static std::mutex mutex;
  static std::map<int, PersistentLimits> known;
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess) static_cast<void>(cudaGetLastError());
  const std::lock_guard lock(mutex);
  const auto found = known.find(device);
  if (found != known.end()) return found->second;
  PersistentLimits& limits = known[device];
  limits = ask();
  limits.device = device;
  return limits;
}

void persistent_pack(const Queue& queue, const RecurrenceShape& shape, RecurrentPass pass,
                     const void* weights, void* packed) {
  with_product(shape, [&]<class Product>(Product) {
    pack<Product>(queue, shape, pass, weights, packed);
  });
}

}  // namespace sluice::cuda
