// Packs recurrent weights for the persistent kernels, and asks the GPU for their limits.
#include "kernels/time_loops/persistent/persistent_launch.h"

#include <cstring>
#include <map>
#include <mutex>

#include "kernels/time_loops/persistent/products.h"

namespace sluice::cuda {
namespace {

constexpr unsigned kThreads = 256;

struct PackedMatrix {
  geometry::StationaryShape shape;
  PersistentMatrix arrangement;
  int hidden, gates;

  /// Where weight_hh [G*H, H] has number `k` of chunk `chunk` for unit `unit` of a tile; -1 if
  /// nowhere.
  __device__ std::int64_t place(int tile, int chunk, int plane, int unit, int k,
                                int number_bytes) const {
    const int chunk_numbers = geometry::chunk_bytes / number_bytes;
    const int segment = chunk / shape.segment_chunks;
    int gate = plane, row = tile * geometry::tile_units + unit;
    int column = k + (chunk - segment * shape.segment_chunks) * chunk_numbers;
    if (arrangement == PersistentMatrix::columns) {
      gate = segment;
      const int unit_of_gate = column;
      column = row;
      row = unit_of_gate;
    } else if (arrangement == PersistentMatrix::scattered) {
      const auto from = geometry::ScatterPlace::of_number(column, number_bytes);
      gate = from.gate;
      row = tile * geometry::tile_units + from.unit;
      column = segment * geometry::tile_units + unit;
    }
    if (gate >= gates || row >= hidden || column >= hidden) return -1;
    return (std::int64_t{gate} * hidden + row) * hidden + column;
  }
};

/// One thread a piece of [unit tile][chunk][plane][piece].
template <class Product>
__global__ void __launch_bounds__(kThreads)
    pack_kernel(PackedMatrix matrix, const typename Product::Number* weights, uint4* packed) {
  using Operand = typename Product::Operand;
  constexpr int count = Product::numbers_in_piece;
  const geometry::StationaryShape& shape = matrix.shape;
  for (std::int64_t i = grid_index(); i < shape.pieces(); i += grid_stride()) {
    const int piece = static_cast<int>(i % geometry::fragment_pieces);
    const std::int64_t fragment = i / geometry::fragment_pieces;
    const int plane = static_cast<int>(fragment % shape.planes);
    const int chunk = static_cast<int>(fragment / shape.planes % shape.chunks());
    const int tile = static_cast<int>(fragment / shape.planes / shape.chunks());
    Operand numbers[count];
#pragma unroll
    for (int j = 0; j < count; ++j) {
      const std::int64_t place = matrix.place(tile, chunk, plane, Product::unit_of(piece, j),
                                              Product::k_of(piece, j), sizeof(Operand));
      numbers[j] = Product::operand(place < 0 ? 0.0f : widen(weights[place]));
    }
    uint4 together;
    std::memcpy(&together, numbers, sizeof together);
    packed[i] = together;
  }
}

/// Stands for a persistent kernel: 512 threads, all of an SM's shared memory.
__global__ void __launch_bounds__(512) cluster_probe() {}

/// Makes another device the current one as long as it lives.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device) {
    check(cudaGetDevice(&before_), "asking which device is current");
    check(cudaSetDevice(device), "making a device current");
  }
  ~CurrentDevice() { static_cast<void>(cudaSetDevice(before_)); }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int before_ = 0;
};

PersistentLimits ask(int device) {
  PersistentLimits limits;
  limits.device = device;
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || device >= count) {
    static_cast<void>(cudaGetLastError());
    return limits;
  }
  const CurrentDevice current(device);
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, device), "asking for the device's limits");
    return value;
  };
  limits.major = attribute(cudaDevAttrComputeCapabilityMajor);
  limits.minor = attribute(cudaDevAttrComputeCapabilityMinor);
  limits.multiprocessors = attribute(cudaDevAttrMultiProcessorCount);
  limits.shared_bytes =
      static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
  limits.cooperative = attribute(cudaDevAttrCooperativeLaunch) != 0;
  limits.clusters[0] = limits.multiprocessors;
  if (limits.major < 9) return limits;
  const auto kernel = reinterpret_cast<const void*>(&cluster_probe);
  allow_launch(kernel, limits.shared_bytes, 16);
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
void pack(const Queue& queue, const PersistentLaunch& fit, const void* weights, void* packed) {
  const auto hidden = static_cast<int>(fit.request.shape.hidden_size);
  const int gates = gate_count(fit.request.shape.cell);
  const PackedMatrix matrix{geometry::stationary_shape(fit.kernel.matrix, hidden, gates,
                                                       sizeof(typename Product::Operand)),
                            fit.kernel.matrix, hidden, gates};
  launch(pack_kernel<Product>,
         {.grid = grid_for(matrix.shape.pieces(), kThreads),
          .block = kThreads,
          .stream = queue.stream},
         matrix, static_cast<const typename Product::Number*>(weights),
         static_cast<uint4*>(packed));
}

}  // namespace

PersistentLimits persistent_limits(int device) {
  static std::mutex mutex;
  static std::map<int, PersistentLimits> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(device);
  if (found != known.end()) return found->second;
  return known[device] = ask(device);
}

PersistentLimits persistent_limits() {
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess) static_cast<void>(cudaGetLastError());
  return persistent_limits(device);
}

void persistent_pack(const Queue& queue, const PersistentLaunch& fit, const void* weights,
                     void* packed) {
  with_product(fit, [&]<class Product>(Product) { pack<Product>(queue, fit, weights, packed); });
}

}  // namespace sluice::cuda
