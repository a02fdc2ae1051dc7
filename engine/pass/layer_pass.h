// A layer on its way through the chunks: its directions together, side by side or one after the
// other, each in its place of the wavefront.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/pass/direction_pass.h"
#include "engine/pass/wavefront.h"
#include "kernels/device/trace_range.h"

namespace sluice {

/// The `position`-th layer of a wavefront. Way is a DirectionPass with
///   Args, Loop, Layer          of the pass, of the loop, and what a layer reads and writes
///   before_loop(i), after_loop(), after_chunk(), finish()
///   drop_before, drop_after    (queue, pass, layer, begin, end): on the layer's own input, or its
///                              gradient, at steps [begin, end)
///   sides_meet                 whether after_loop() adds to what the other direction wrote
template <class Way>
void run_layer(const Wavefront& wavefront, const Pass<typename Way::Args>& pass, int position,
               const typename Way::Layer& layer) {
  using Loop = typename Way::Loop;
  const RecurrentConfig& config = pass.config;
  const Queue& queue = wavefront.queue(position);
  const int together = pass.schedule.together;
  const std::int32_t steps = pass.args.sequences.steps;
  if (config.bidirectional)
    Way::drop_before(queue, pass, layer, 0, steps);  // both sides wait for it
  Wavefront sides(queue, config.bidirectional && together == 1 ? pass.schedule.lanes : 1, 1);
  for (int first = 0; first < config.directions(); first += together) {
    const TraceRange range(name_of(config.cell), pass.backward() ? "backward" : "forward",
                           layer.number, first == 1);
    const Queue& side = sides.queue(first);
    std::vector<Direction> each_way;
    for (int d = first; d < first + together; ++d) {
      each_way.emplace_back(config, pass.views, layer.number, d);
    }
    std::vector<Way> directions;
    directions.reserve(each_way.size());
    for (std::size_t d = 0; d < each_way.size(); ++d) {
      const int part =
          together > 1 ? static_cast<int>(d) : wavefront.lane(position) + sides.lane(first);
      directions.emplace_back(side, pass, each_way[d], part, layer);
    }
    for (std::size_t i = 0; i < pass.chunks.size(); ++i) {
      const StepChunk& chunk = pass.chunk(i, false);
      wavefront.wait(position, i);
      if (!config.bidirectional) Way::drop_before(queue, pass, layer, chunk.begin, chunk.end);
      std::vector<Loop> loops;
      for (Way& each : directions) {
        each.before_loop(i);
        loops.push_back(each.loop());
      }
      pass.loop.run(side, loops);
      if (Way::sides_meet && i == 0) sides.wait(first, 0);
      for (Way& each : directions) each.after_loop();
      if (!config.bidirectional) Way::drop_after(queue, pass, layer, chunk.begin, chunk.end);
      wavefront.done(position, i);
      for (Way& each : directions) each.after_chunk();
    }
    for (const Way& each : directions) each.finish();
    if (Way::sides_meet) sides.done(first, 0);
  }
  sides.join();
  if (config.bidirectional) Way::drop_after(queue, pass, layer, 0, steps);
}

}  // namespace sluice
