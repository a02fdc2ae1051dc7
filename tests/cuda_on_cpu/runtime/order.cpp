#include "runtime/order.h"

#include <algorithm>
#include <random>

#include "cuda_on_cpu/schedule.h"

namespace cuda_on_cpu {
namespace {

/// Of `left`, those that wait for none of them.
std::vector<std::size_t> ready_of(const std::vector<OrderedNode>& nodes,
                                  const std::set<std::size_t>& left) {
  std::vector<std::size_t> ready;
  for (const std::size_t node : left) {
    const std::set<std::size_t>& after = nodes[node].after;
    if (std::none_of(after.begin(), after.end(),
                     [&](std::size_t n) { return left.count(n) != 0; })) {
      ready.push_back(node);
    }
  }
  return ready;
}

}  // namespace

std::vector<std::size_t> order_of(const std::vector<OrderedNode>& nodes,
                                  const std::set<std::size_t>& wanted) {
  static std::mt19937 numbers;
  const Schedule schedule = current_schedule();
  if (schedule.order == Order::random) numbers.seed(schedule.seed);
  std::set<std::size_t> left = wanted;
  std::vector<std::size_t> order;
  while (!left.empty()) {
    const std::vector<std::size_t> ready = ready_of(nodes, left);
    const std::size_t next = schedule.order == Order::forward   ? ready.front()
                             : schedule.order == Order::reverse ? ready.back()
                                                                : ready[numbers() % ready.size()];
    order.push_back(next);
    left.erase(next);
  }
  return order;
}

std::size_t most_cooperative_blocks(const std::vector<OrderedNode>& nodes,
                                    const std::set<std::size_t>& wanted) {
  const auto cooperative = [&](std::size_t node) {
    return nodes[node].node.cooperative_blocks > 0;
  };
  if (std::count_if(wanted.begin(), wanted.end(), cooperative) < 2) return 0;  // nothing to compare
  std::set<std::size_t> left = wanted;
  std::size_t most = 0;
  while (!left.empty()) {
    std::size_t blocks = 0;
    bool others = false;
    const std::vector<std::size_t> ready = ready_of(nodes, left);
    for (const std::size_t node : ready) {
      blocks += nodes[node].node.cooperative_blocks;
      if (cooperative(node)) continue;
      others = true;
      left.erase(node);
    }
    if (others) continue;
    most = std::max(most, blocks);
    left.erase(ready.front());
  }
  return most;
}

std::set<std::size_t> with_predecessors(const std::vector<OrderedNode>& nodes,
                                        const std::set<std::size_t>& of) {
  std::set<std::size_t> all;
  std::vector<std::size_t> next(of.begin(), of.end());
  while (!next.empty()) {
    const std::size_t node = next.back();
    next.pop_back();
    if (!all.insert(node).second) continue;
    next.insert(next.end(), nodes[node].after.begin(), nodes[node].after.end());
  }
  return all;
}

}  // namespace cuda_on_cpu
