// Cooperative groups for kernels that run on the CPU: block, warp tiles, cluster, grid.
#pragma once

#include "cuda_on_cpu/language.h"
#include "cuda_on_cpu/synchronization.h"
#include "cuda_on_cpu/warp.h"

namespace cooperative_groups {

struct thread_block {
  void sync(CUDA_ON_CPU_SITE) const { cuda_on_cpu::block_barrier({site_file, site_line}); }
  static unsigned thread_rank() {
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  }
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return size(); }
  static dim3 group_index() { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
  static dim3 thread_index() { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
};
inline thread_block this_thread_block() { return {}; }

struct grid_group {
  void sync(CUDA_ON_CPU_SITE) const { cuda_on_cpu::grid_barrier({site_file, site_line}); }
  static unsigned long long block_rank() {
    return blockIdx.x + 1ull * gridDim.x * (blockIdx.y + 1ull * gridDim.y * blockIdx.z);
  }
  static unsigned long long num_blocks() { return 1ull * gridDim.x * gridDim.y * gridDim.z; }
  static unsigned long long thread_rank() {
    return block_rank() * thread_block::size() + thread_block::thread_rank();
  }
  static unsigned long long size() { return num_blocks() * thread_block::size(); }
};
inline grid_group this_grid() { return {}; }

/// Blocks that can address each other's shared memory.
struct cluster_group {
  void sync(CUDA_ON_CPU_SITE) const {
    cuda_on_cpu::cluster_arrive({site_file, site_line});
    cuda_on_cpu::cluster_wait({site_file, site_line});
  }
  struct arrival_token {};
  arrival_token barrier_arrive(CUDA_ON_CPU_SITE) const {
    cuda_on_cpu::cluster_arrive({site_file, site_line});
    return {};
  }
  void barrier_wait(CUDA_ON_CPU_SITE) const { cuda_on_cpu::cluster_wait({site_file, site_line}); }
  void barrier_wait(arrival_token&&, CUDA_ON_CPU_SITE) const {
    cuda_on_cpu::cluster_wait({site_file, site_line});
  }
  static unsigned block_rank() { return cuda_on_cpu::cluster_rank(); }
  static unsigned num_blocks() { return cuda_on_cpu::cluster_size(); }
  template <class T>
  T* map_shared_rank(T* address, int rank, CUDA_ON_CPU_SITE) const {
    return static_cast<T*>(
        cuda_on_cpu::map_shared({site_file, site_line}, address, static_cast<unsigned>(rank)));
  }
};
inline cluster_group this_cluster() { return {}; }

/// `size` neighbouring lanes of a warp.
template <unsigned tile_size>
struct thread_block_tile {
  static_assert(tile_size <= 32 && (tile_size & (tile_size - 1)) == 0);

  static unsigned thread_rank() { return cuda_on_cpu::lane() % tile_size; }
  static constexpr unsigned size() { return tile_size; }
  static constexpr unsigned num_threads() { return tile_size; }
  static unsigned meta_group_rank() { return thread_block::thread_rank() / tile_size; }
  static unsigned mask() {
    const unsigned lanes = tile_size == 32 ? 0xFFFFFFFFu : (1u << tile_size % 32) - 1;
    return lanes << (cuda_on_cpu::lane() & ~(tile_size - 1));
  }
  void sync(CUDA_ON_CPU_SITE) const { __syncwarp(mask(), site_file, site_line); }
  template <class T>
  T shfl(T value, int source, CUDA_ON_CPU_SITE) const {
    return __shfl_sync(mask(), value, source, tile_size, site_file, site_line);
  }
  template <class T>
  T shfl_down(T value, unsigned delta, CUDA_ON_CPU_SITE) const {
    return __shfl_down_sync(mask(), value, delta, tile_size, site_file, site_line);
  }
  template <class T>
  T shfl_up(T value, unsigned delta, CUDA_ON_CPU_SITE) const {
    return __shfl_up_sync(mask(), value, delta, tile_size, site_file, site_line);
  }
  template <class T>
  T shfl_xor(T value, int lanes, CUDA_ON_CPU_SITE) const {
    return __shfl_xor_sync(mask(), value, lanes, tile_size, site_file, site_line);
  }
  bool any(int predicate, CUDA_ON_CPU_SITE) const {
    return __any_sync(mask(), predicate, site_file, site_line) != 0;
  }
  bool all(int predicate, CUDA_ON_CPU_SITE) const {
    return __all_sync(mask(), predicate, site_file, site_line) != 0;
  }
};
template <unsigned tile_size>
thread_block_tile<tile_size> tiled_partition(const thread_block&) {
  return {};
}

}  // namespace cooperative_groups
