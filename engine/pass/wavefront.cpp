#include "engine/pass/wavefront.h"

#include <algorithm>

#include "engine/choice/wavefront_cut.h"
#include "kernels/base/error.h"
#include "kernels/device/lanes.h"
#include "kernels/device/side_stream.h"

namespace sluice {
Wavefront::Wavefront(const Queue& queue, int lanes, std::size_t chunks)
    : queue_(queue), lanes_(std::max(1, std::min(lanes, lane_count(queue)))) {
  // Events [0, chunks) are the chunks', the last one of each lane its fork and join.
  if (chunks + kMostLanes > Lanes::most_events || lanes_ > kMostLanes) lanes_ = 1;
  if (lanes_ == 1) return;
  record_event(queue_, event(Lanes::most_events - 1));
  forked_ = true;
  for (int lane = 1; lane < lanes_; ++lane) {
    wait_for_event(this->queue(lane), event(Lanes::most_events - 1));
  }
}

Wavefront::~Wavefront() {
  try {
    join();
  } catch (const Error&) {  // the error that brought us here is the one to tell
  }
}

const Queue& Wavefront::queue(int position) const {
  const int number = lane(position);
  return number == 0 ? queue_ : queue_.lanes->queues[static_cast<std::size_t>(number - 1)];
}

void* Wavefront::event(std::size_t number) const { return queue_.lanes->events[number]; }

void Wavefront::wait(int position, std::size_t chunk) const {
  if (lanes_ > 1 && position > 0) wait_for_event(queue(position), event(chunk));
}

void Wavefront::done(int position, std::size_t chunk) const {
  if (lanes_ > 1) record_event(queue(position), event(chunk));
}

void Wavefront::join() {
  if (!forked_) return;
  forked_ = false;
  for (int lane = 1; lane < lanes_; ++lane) {
    void* const end = event(Lanes::most_events - static_cast<std::size_t>(lane) - 1);
    record_event(queue(lane), end);
    wait_for_event(queue_, end);
  }
}

}  // namespace sluice
