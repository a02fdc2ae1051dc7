#include "runtime/schedule.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>

#include "runtime/grid.h"

namespace cuda_on_cpu {
namespace {

Schedule schedule_from_environment() {
  const char* text = std::getenv("CUDA_ON_CPU_ORDER");
  if (text == nullptr || std::strcmp(text, "forward") == 0) return {Order::forward, 1};
  if (std::strcmp(text, "reverse") == 0) return {Order::reverse, 1};
  unsigned seed = 1;
  if (std::sscanf(text, "random:%u", &seed) == 1) return {Order::random, seed};
  std::fprintf(stderr, "CUDA_ON_CPU_ORDER: expected forward, reverse or random:SEED, got %s\n",
               text);
  std::exit(2);
}

Schedule schedule = schedule_from_environment();
std::mt19937 generator(schedule.seed);

bool coin() { return generator() % 2 == 0; }

}  // namespace

Schedule current_schedule() { return schedule; }

void set_schedule(const Schedule& wanted) {
  schedule = wanted;
  generator.seed(wanted.seed);
}

std::string name_of(const Schedule& named) {
  switch (named.order) {
    case Order::forward: return "forward";
    case Order::reverse: return "reverse";
    case Order::random: return "random:" + std::to_string(named.seed);
  }
  return "?";
}

std::vector<unsigned> order_of(std::size_t count) {
  std::vector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0u);
  if (schedule.order == Order::reverse) std::reverse(order.begin(), order.end());
  if (schedule.order == Order::random) std::shuffle(order.begin(), order.end(), generator);
  return order;
}

bool is_greedy() { return schedule.order != Order::random || coin(); }

bool pauses() { return schedule.order == Order::random && coin(); }

bool arrives_at_once() {
  return schedule.order == Order::reverse || (schedule.order == Order::random && coin());
}

}  // namespace cuda_on_cpu
