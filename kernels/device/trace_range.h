// Named ranges in a profile: NVTX, which Nsight Systems and Nsight Compute show. Nothing in a build
// without CUDA, and next to nothing when no profiler listens. A step that is launched as a graph
// shows its ranges when it is recorded; `sluice train --no-graph` shows them in every step.
#pragma once

namespace sluice {

/// A range from here to the end of the scope.
class TraceRange {
 public:
  explicit TraceRange(const char* name);
  /// "lstm forward, layer 2 reverse".
  TraceRange(const char* cell, const char* pass, int layer, bool reverse);
  ~TraceRange();
  TraceRange(const TraceRange&) = delete;
  TraceRange& operator=(const TraceRange&) = delete;
};

}  // namespace sluice
