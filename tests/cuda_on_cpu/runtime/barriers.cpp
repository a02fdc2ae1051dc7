// Barriers of blocks, clusters and the grid, and the memory fence.
#include <cstring>

#include "runtime/grid.h"
#include "runtime/sanitizers.h"

namespace cuda_on_cpu {
namespace {

char fence_token;

bool same(Site a, Site b) {
  return a.line == b.line && a.file != nullptr && b.file != nullptr &&
         std::strcmp(a.file, b.file) == 0;
}

void wait(Barrier& barrier, Phase seen, Site site) {
  wait_until_changed(&barrier.phase, seen, site, barrier.name);
  race_acquire(&barrier.race_tokens[seen % 2]);
}

}  // namespace

Phase arrive(Barrier& barrier, Site site) {
  const HiddenFromRaces hidden;
  const Phase phase = barrier.phase;
  if (barrier.left > 0) {
    fail(site, "divergent barrier: %d threads have left the kernel before %s", barrier.left,
         barrier.name);
  }
  if (barrier.arrived == 0) {
    barrier.site = site;
    barrier.first_thread = running->coordinates.thread_index.x;
  } else if (!same(barrier.site, site)) {
    fail(site, "divergent barrier: thread %u waits at %s:%d", barrier.first_thread,
         barrier.site.file, barrier.site.line);
  }
  race_release(&barrier.race_tokens[phase % 2]);
  if (++barrier.arrived == barrier.size) {
    barrier.arrived = 0;
    ++barrier.phase;
    grid->progress = true;
  }
  return phase;
}

void leave(Barrier& barrier) {
  ++barrier.left;
  if (barrier.arrived > 0) {
    fail(barrier.site, "divergent barrier: a thread leaves the kernel while thread %u waits in %s",
         barrier.first_thread, barrier.name);
  }
}

void block_barrier(Site site) {
  Barrier& barrier = running->block->barrier;
  wait(barrier, arrive(barrier, site), site);
}

int block_barrier_count(Site site, bool predicate) {
  Block& block = *running->block;
  int& count = block.counts[block.barrier.phase % 2];
  if (block.barrier.arrived == 0) count = 0;
  count += predicate ? 1 : 0;
  block_barrier(site);
  return count;
}

void grid_barrier(Site site) {
  if (!grid->launch.cooperative)
    fail(site, "the grid's barrier in a launch that is not cooperative");
  wait(grid->barrier, arrive(grid->barrier, site), site);
}

unsigned cluster_rank() { return running->block->rank; }

unsigned cluster_size() { return static_cast<unsigned>(running->block->cluster->blocks.size()); }

void cluster_arrive(Site site) {
  Thread& thread = *running;
  if (thread.cluster_arrived) fail(site, "the cluster's barrier: arrived twice without a wait");
  thread.cluster_phase = arrive(thread.block->cluster->barrier, site);
  thread.cluster_arrived = true;
}

void cluster_wait(Site site) {
  Thread& thread = *running;
  if (!thread.cluster_arrived) fail(site, "the cluster's barrier: a wait without an arrival");
  thread.cluster_arrived = false;
  wait(thread.block->cluster->barrier, thread.cluster_phase, site);
}

void fence() {
  race_release(&fence_token);
  race_acquire(&fence_token);
}

}  // namespace cuda_on_cpu
