// Nodes that wait for others, and an order to run them in.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "cuda_on_cpu/streams.h"

namespace cuda_on_cpu {

struct OrderedNode {
  Node node;
  std::set<std::size_t> after;  ///< earlier nodes
};

/// `wanted` nodes in one of the orders that `after` allows: as they came, from the latest, or
/// shuffled, as the schedule says.
std::vector<std::size_t> order_of(const std::vector<OrderedNode>& nodes,
                                  const std::set<std::size_t>& wanted);

/// Blocks of cooperative launches among `wanted` that can be under way at the same time: all those
/// that are left when nothing else can be run.
std::size_t most_cooperative_blocks(const std::vector<OrderedNode>& nodes,
                                    const std::set<std::size_t>& wanted);

/// `of` and everything it waits for, also by others.
std::set<std::size_t> with_predecessors(const std::vector<OrderedNode>& nodes,
                                        const std::set<std::size_t>& of);

}  // namespace cuda_on_cpu
