// Operations that lanes of one warp do together.
#include <algorithm>
#include <cstring>

#include "runtime/grid.h"
#include "runtime/sanitizers.h"

namespace cuda_on_cpu {
namespace {

Exchange& join(Site site, const char* operation, unsigned mask) {
  Warp& warp = running->block->warps[running->warp];
  const unsigned lane = 1u << running->coordinates.lane;
  for (const auto& exchange : warp.exchanges) {
    const bool open = exchange->phase == 0 && (exchange->arrived & lane) == 0;
    if (!open || (exchange->mask & mask & lane) == 0) continue;
    if (exchange->mask != mask) {
      fail(site, "%s with mask %08x, but another lane of it is in %s with mask %08x at %s:%d",
           operation, mask, exchange->operation, exchange->mask, exchange->site.file,
           exchange->site.line);
    }
    if (exchange->site.line != site.line || std::strcmp(exchange->site.file, site.file) != 0 ||
        std::strcmp(exchange->operation, operation) != 0) {
      fail(site, "divergent warp operation: %s here, but another lane is in %s at %s:%d", operation,
           exchange->operation, exchange->site.file, exchange->site.line);
    }
    return *exchange;
  }
  warp.exchanges.push_back(std::make_unique<Exchange>());
  Exchange& exchange = *warp.exchanges.back();
  exchange.operation = operation;
  exchange.site = site;
  exchange.mask = mask;
  std::memset(exchange.values, 0xFF, sizeof exchange.values);
  return exchange;
}

/// The last lane to read frees it. Never kept for reuse: ThreadSanitizer would take a new exchange
/// at the old address for the old one.
void drop(Exchange& exchange) {
  if (--exchange.readers > 0) return;
  auto& exchanges = running->block->warps[running->warp].exchanges;
  exchanges.erase(std::find_if(exchanges.begin(), exchanges.end(),
                               [&](const auto& other) { return other.get() == &exchange; }));
}

}  // namespace

void complete_exchanges(Warp& warp) {
  for (const auto& exchange : warp.exchanges) {
    if (exchange->phase != 0 || (exchange->mask & warp.alive) != exchange->arrived) continue;
    exchange->phase = 1;
    exchange->readers = __builtin_popcount(exchange->arrived);
    grid->progress = true;
  }
}

unsigned exchange_in_warp(Site site, const char* operation, unsigned mask, const void* mine,
                          std::size_t bytes, unsigned char* all) {
  const HiddenFromRaces hidden;
  const unsigned lane = running->coordinates.lane;
  if ((mask >> lane & 1) == 0)
    fail(site, "lane %u is not in %s's mask %08x", lane, operation, mask);
  Exchange& exchange = join(site, operation, mask);
  std::memcpy(exchange.values[lane], mine, bytes);
  exchange.arrived |= 1u << lane;
  race_release(&exchange);
  complete_exchanges(running->block->warps[running->warp]);
  wait_until_changed(&exchange.phase, 0, site, operation);
  race_acquire(&exchange);
  std::memcpy(all, exchange.values, sizeof exchange.values);
  const unsigned arrived = exchange.arrived;
  drop(exchange);
  return arrived;
}

unsigned active_lanes() { return running->block->warps[running->warp].alive; }

}  // namespace cuda_on_cpu
