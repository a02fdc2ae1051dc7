#include "runtime/order.h"

#include <algorithm>
#include <random>

#include "cuda_on_cpu/schedule.h"

namespace cuda_on_cpu {

std::vector<std::size_t> order_of(const std::vector<OrderedNode>& nodes,
                                  const std::set<std::size_t>& wanted) {
  static std::mt19937 numbers;
  const Schedule schedule = current_schedule();
  if (schedule.order == Order::random) numbers.seed(schedule.seed);
  std::set<std::size_t> left = wanted;
  std::vector<std::size_t> order;
  while (!left.empty()) {
    std::vector<std::size_t> ready;
    for (const std::size_t node : left) {
      const std::set<std::size_t>& after = nodes[node].after;
      if (std::none_of(after.begin(), after.end(), [&](std::size_t n) { return left.count(n) != 0; })) {
        ready.push_back(node);
      }
    }
    const std::size_t next = schedule.order == Order::forward ? ready.front()
                             : schedule.order == Order::reverse ? ready.back()
                                                                : ready[numbers() % ready.size()];
    order.push_back(next);
    left.erase(next);
  }
  return order;
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
