// Streams, events and graphs. A captured stream, and one that joins the capture by waiting for an
// event of it, adds nodes to a graph; each waits for those that its stream and its events name.
#include "cuda_on_cpu/streams.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cuda_on_cpu/device.h"
#include "runtime/grid.h"
#include "runtime/order.h"

namespace {

using cuda_on_cpu::Node;
using cuda_on_cpu::OrderedNode;

using Nodes = std::set<std::size_t>;

/// Nodes, and which of them each stream's next one waits for.
struct Work {
  std::vector<OrderedNode> nodes;
  std::map<cudaStream_t, Nodes> last;

  void add(cudaStream_t stream, const Node& node) {
    Nodes& before = last[stream];
    nodes.push_back({node, before});
    before = {nodes.size() - 1};
  }
};

struct Capture : Work {
  std::thread::id thread;
  cudaStream_t origin = nullptr;
  bool lost = false;
};

/// What an event stands for: nodes of a capture, or, with none, of what is kept for later.
struct Mark {
  std::shared_ptr<Capture> capture;
  Nodes nodes;
};

using Graph = std::vector<OrderedNode>;

std::mutex mutex;
std::map<cudaStream_t, std::shared_ptr<Capture>> captures;
std::map<cudaEvent_t, Mark> marks;
std::map<cudaEvent_t, std::chrono::steady_clock::time_point> times;  // of the events' records

cuda_on_cpu::Streams mode_from_environment() {
  const char* const wanted = std::getenv("CUDA_ON_CPU_STREAMS");
  return wanted != nullptr && std::strcmp(wanted, "late") == 0 ? cuda_on_cpu::Streams::late
                                                               : cuda_on_cpu::Streams::at_once;
}
cuda_on_cpu::Streams mode = mode_from_environment();
Work later;                         // with Streams::late
Nodes done;                         // of `later`
cudaError_t failure = cudaSuccess;  // of a node that ran late, or of a broken context; stays

cudaGraph_t handle(Graph* graph) { return reinterpret_cast<cudaGraph_t>(graph); }
Graph* graph_of(cudaGraph_t graph) { return reinterpret_cast<Graph*>(graph); }
Graph* graph_of(cudaGraphExec_t graph) { return reinterpret_cast<Graph*>(graph); }

std::shared_ptr<Capture> capture_of(cudaStream_t stream) {
  const auto found = captures.find(stream);
  return found == captures.end() ? nullptr : found->second;
}

/// Whether the GPU has room for the cooperative launches that could be under way together.
cudaError_t check_room(const std::vector<OrderedNode>& nodes, const Nodes& left) {
  const std::size_t blocks = most_cooperative_blocks(nodes, left);
  if (blocks <= static_cast<std::size_t>(cuda_on_cpu::multiprocessors())) return cudaSuccess;
  cuda_on_cpu::keep_failure("cooperative launches that nothing keeps apart have " +
                            std::to_string(blocks) + " blocks together, more than the " +
                            std::to_string(cuda_on_cpu::multiprocessors()) +
                            " multiprocessors: parts of them would wait for the rest for ever");
  return cudaErrorCooperativeLaunchTooLarge;
}

/// Runs `wanted` of the nodes kept for later, and what they wait for.
cudaError_t run_late(const Nodes& wanted) {
  std::vector<Node> in_order;
  {
    const std::lock_guard lock(mutex);
    Nodes left;
    for (std::size_t i = 0; i < later.nodes.size(); ++i) {
      if (done.count(i) == 0) left.insert(left.end(), i);
    }
    if (failure == cudaSuccess) failure = check_room(later.nodes, left);
    left.clear();
    for (const std::size_t node : with_predecessors(later.nodes, wanted)) {
      if (done.insert(node).second) left.insert(node);
    }
    for (const std::size_t node : order_of(later.nodes, left))
      in_order.push_back(later.nodes[node].node);
    if (done.size() == later.nodes.size()) {
      later = {};
      done.clear();
      for (auto mark = marks.begin(); mark != marks.end();) {
        mark = mark->second.capture == nullptr ? marks.erase(mark) : std::next(mark);
      }
    }
  }
  for (const Node& node : in_order) {
    if (failure == cudaSuccess) failure = node.run();
  }
  return failure;
}

cudaError_t run_graph(const Graph& graph) {
  Nodes all;
  for (std::size_t i = 0; i < graph.size(); ++i) all.insert(all.end(), i);
  if (const cudaError_t status = check_room(graph, all); status != cudaSuccess) return status;
  for (const std::size_t node : order_of(graph, all)) {
    const cudaError_t status = graph[node].node.run();
    if (status != cudaSuccess) return status;
  }
  return cudaSuccess;
}

/// Whether everything that was captured, on whatever stream, comes before the origin's end.
bool is_joined(const Capture& capture) {
  const auto end = capture.last.find(capture.origin);
  const Nodes reached =
      end == capture.last.end() ? Nodes() : with_predecessors(capture.nodes, end->second);
  return reached.size() == capture.nodes.size();
}

Nodes last_of(const Work& work, cudaStream_t stream) {
  const auto found = work.last.find(stream);
  return found == work.last.end() ? Nodes() : found->second;
}

}  // namespace

namespace cuda_on_cpu {

void set_streams(Streams streams) {
  run_all();
  mode = streams;
  failure = cudaSuccess;
}

cudaError_t submit(cudaStream_t stream, const Node& node) {
  {
    const std::lock_guard lock(mutex);
    if (const auto capture = capture_of(stream); capture != nullptr) {
      capture->add(stream, node);
      return cudaSuccess;
    }
    if (failure != cudaSuccess) return failure;
    if (mode == Streams::late) {
      later.add(stream, node);
      return cudaSuccess;
    }
  }
  return node.run();
}

void break_context(cudaError_t status) {
  const std::lock_guard lock(mutex);
  failure = status;
}

cudaError_t run_all() {
  Nodes all;
  {
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < later.nodes.size(); ++i) all.insert(all.end(), i);
  }
  return run_late(all);
}

bool spoil_capture(cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  const auto capture = capture_of(stream);
  if (capture != nullptr) capture->lost = true;
  return capture != nullptr;
}

bool spoil_captures_of_this_thread() {
  const std::lock_guard lock(mutex);
  bool any = false;
  for (auto& [stream, capture] : captures) {
    if (capture->thread == std::this_thread::get_id()) any = capture->lost = true;
  }
  return any;
}

}  // namespace cuda_on_cpu

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = static_cast<cudaStream_t>(std::malloc(1));
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t status = cudaStreamSynchronize(stream);
  std::free(stream);
  return status;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (cuda_on_cpu::spoil_capture(stream)) return cudaErrorStreamCaptureUnsupported;
  Nodes wanted;
  {
    const std::lock_guard lock(mutex);
    wanted = last_of(later, stream);
  }
  return run_late(wanted);
}

cudaError_t cudaDeviceSynchronize() { return cuda_on_cpu::run_all(); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = static_cast<cudaEvent_t>(std::malloc(1));
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

/// The host's time between the two records.
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const std::lock_guard lock(mutex);
  const auto first = times.find(begin), last = times.find(end);
  if (first == times.end() || last == times.end()) return cudaErrorInvalidResourceHandle;
  const std::chrono::duration<float, std::milli> apart = last->second - first->second;
  *milliseconds = apart.count();
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(mutex);
  marks.erase(event);
  times.erase(event);
  std::free(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  const auto capture = capture_of(stream);
  marks[event] = {capture, last_of(capture == nullptr ? later : *capture, stream)};
  times[event] = std::chrono::steady_clock::now();
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  Nodes wanted;
  {
    const std::lock_guard lock(mutex);
    const auto mark = marks.find(event);
    if (mark == marks.end()) return cudaSuccess;
    if (mark->second.capture != nullptr) return cudaErrorCapturedEvent;
    wanted = mark->second.nodes;
  }
  return run_late(wanted);
}

/// A stream that waits for an event of a capture becomes part of it.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const std::lock_guard lock(mutex);
  const auto found = marks.find(event);
  if (found == marks.end()) return cudaSuccess;
  const Mark& mark = found->second;
  auto capture = capture_of(stream);
  if (mark.capture != nullptr && capture == nullptr) {
    const auto member = std::any_of(captures.begin(), captures.end(),
                                    [&](const auto& each) { return each.second == mark.capture; });
    if (!member) return cudaErrorCapturedEvent;  // of a capture that is over
    capture = captures[stream] = mark.capture;
  }
  if (mark.capture != capture) {
    if (capture != nullptr) capture->lost = true;
    return cudaErrorStreamCaptureIsolation;
  }
  Work& work = capture == nullptr ? later : *capture;
  work.last[stream].insert(mark.nodes.begin(), mark.nodes.end());
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode capture_mode) {
  const std::lock_guard lock(mutex);
  if (capture_mode != cudaStreamCaptureModeThreadLocal || captures.count(stream) != 0) {
    return cudaErrorIllegalState;
  }
  auto capture = std::make_shared<Capture>();
  capture->thread = std::this_thread::get_id();
  capture->origin = stream;
  const char* const fate = std::getenv("CUDA_ON_CPU_CAPTURES");
  capture->lost = fate != nullptr && std::strcmp(fate, "lost") == 0;
  captures[stream] = capture;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(mutex);
  *graph = nullptr;
  const auto capture = capture_of(stream);
  if (capture == nullptr || capture->origin != stream) return cudaErrorIllegalState;
  for (auto member = captures.begin(); member != captures.end();) {
    member = member->second == capture ? captures.erase(member) : std::next(member);
  }
  if (capture->lost) return cudaErrorStreamCaptureInvalidated;
  if (!is_joined(*capture)) return cudaErrorStreamCaptureUnjoined;
  *graph = handle(new Graph(capture->nodes));
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const std::lock_guard lock(mutex);
  const auto capture = capture_of(stream);
  *status = capture == nullptr ? cudaStreamCaptureStatusNone
            : capture->lost    ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  *made = reinterpret_cast<cudaGraphExec_t>(new Graph(*graph_of(graph)));
  return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t to, cudaGraph_t from,
                                cudaGraphExecUpdateResultInfo* info) {
  Graph& old = *graph_of(to);
  const Graph& now = *graph_of(from);
  const bool same = std::equal(old.begin(), old.end(), now.begin(), now.end(),
                               [](const OrderedNode& a, const OrderedNode& b) {
                                 return a.node.kind == b.node.kind &&
                                        a.node.kernel == b.node.kernel && a.after == b.after;
                               });
  info->result = same ? cudaGraphExecUpdateSuccess : cudaGraphExecUpdateErrorTopologyChanged;
  if (!same) return cudaErrorGraphExecUpdateFailure;
  old = now;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (cuda_on_cpu::spoil_capture(stream)) return cudaErrorStreamCaptureUnsupported;
  const auto nodes = std::make_shared<const Graph>(*graph_of(graph));
  return cuda_on_cpu::submit(
      stream, {cuda_on_cpu::NodeKind::library, nullptr, [nodes] { return run_graph(*nodes); }});
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph_of(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph_of(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (nodes != nullptr) return cudaErrorNotSupported;  // there are none to show
  *count = graph_of(graph)->size();
  return cudaSuccess;
}

}  // extern "C"
