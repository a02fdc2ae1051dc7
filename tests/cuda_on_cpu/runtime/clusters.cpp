// The clusters of a launch, as they begin.
#include "runtime/grid.h"

namespace cuda_on_cpu {
namespace {

uint3 coordinates_of(std::size_t index, const dim3& size) {
  return {static_cast<unsigned>(index % size.x), static_cast<unsigned>(index / size.x % size.y),
          static_cast<unsigned>(index / size.x / size.y)};
}

std::unique_ptr<Block> create_block(const uint3& index, Cluster& cluster) {
  const Launch& launch = grid->launch;
  auto block = std::make_unique<Block>();
  block->number = index.x + launch.grid.x * (index.y + launch.grid.y * index.z);
  block->cluster = &cluster;
  const std::size_t count = volume(launch.block);
  block->threads = std::vector<Thread>(count);
  block->warps.resize((count + warp_size - 1) / warp_size);
  block->alive = static_cast<int>(count);
  block->barrier.name = "__syncthreads";
  block->barrier.size = static_cast<int>(count);
  for (std::size_t i = 0; i < count; ++i) {
    Thread& thread = block->threads[i];
    const auto lane = static_cast<unsigned>(i % warp_size);
    thread.coordinates = {coordinates_of(i, launch.block), index, lane};
    thread.warp = static_cast<unsigned>(i / warp_size);
    thread.block = block.get();
    block->warps[thread.warp].alive |= 1u << lane;
  }
  return block;
}

}  // namespace

std::unique_ptr<Cluster> create_cluster(std::size_t number) {
  const Launch& launch = grid->launch;
  const dim3 clusters(launch.grid.x / launch.cluster.x, launch.grid.y / launch.cluster.y,
                      launch.grid.z / launch.cluster.z);
  const uint3 first = coordinates_of(number, clusters);
  auto cluster = std::make_unique<Cluster>();
  cluster->barrier.name = "the cluster's barrier";
  cluster->barrier.size = static_cast<int>(volume(launch.cluster) * volume(launch.block));
  for (std::size_t rank = 0; rank < volume(launch.cluster); ++rank) {
    const uint3 inside = coordinates_of(rank, launch.cluster);
    cluster->blocks.push_back(
        create_block({first.x * launch.cluster.x + inside.x, first.y * launch.cluster.y + inside.y,
                      first.z * launch.cluster.z + inside.z},
                     *cluster));
    cluster->blocks.back()->rank = static_cast<unsigned>(rank);
  }
  return cluster;
}

}  // namespace cuda_on_cpu
