// Layers of a stack that overlap in time: a layer takes a chunk of steps as soon as the layer
// before it has (Appleyard, Kocisky and Blunsom 2016, "Optimizing Performance of Recurrent Neural
// Networks on GPUs"). Each works on a stream of its own, and events say when a chunk is done; while
// the queue is recorded they become the edges of its graph. The two directions of a layer overlap
// alike, as two positions of which the second waits where it adds to what the first wrote.
#pragma once

#include <cstddef>

#include "kernels/base/queue.h"

namespace sluice {

/// From the fork off `queue`'s stream to the join with it. Layers are given their work one after
/// the other, in the order of the pass; without lanes it all goes to `queue`, and gives the same
/// bits.
class Wavefront {
 public:
  /// `lanes`: streams wanted; as many are used as the queue has.
  Wavefront(const Queue& queue, int lanes, std::size_t chunks);
  ~Wavefront();  ///< joins if join() was not reached
  Wavefront(const Wavefront&) = delete;
  Wavefront& operator=(const Wavefront&) = delete;

  /// Which lane the `position`-th layer has, and its queue. A lane's next layer begins after its
  /// last.
  int lane(int position) const { return position % lanes_; }
  const Queue& queue(int position) const;

  /// The `position`-th layer's next work waits until the layer before it has done its `chunk`-th
  /// chunk.
  void wait(int position, std::size_t chunk) const;
  void done(int position, std::size_t chunk) const;

  void join();

 private:
  void* event(std::size_t number) const;

  const Queue& queue_;
  int lanes_;
  bool forked_ = false;
};

}  // namespace sluice
