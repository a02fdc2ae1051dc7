#include "engine/loops/time_loop.h"

#include <iterator>

#include "engine/loops/cudnn_pass.h"
#include "engine/loops/persistent.h"
#include "engine/loops/row_blocks.h"
#include "engine/loops/stepwise.h"

namespace sluice {
namespace {

using Made = std::unique_ptr<const TimeLoop>;

template <class Loop>
Made make(const LoopRequest& request) {
  return std::make_unique<const Loop>(request);
}
template <PersistentKind kind>
Made make_persistent(const LoopRequest& request) {
  return std::make_unique<const PersistentLoop>(kind, request, persistent_limits());
}

struct Entry {
  Algorithm algorithm;
  AlgorithmTraits traits;
  Made (*make)(const LoopRequest&);  // null: takes whole layers, or stands for others
};

// In the order of the names.
constexpr Entry kAlgorithms[] = {
    {Algorithm::automatic, {"automatic", true, true}, nullptr},
    {Algorithm::stepwise, {"stepwise", true, true}, make<StepwiseLoop>},
    {Algorithm::row_blocks, {"row_blocks", true, false}, make<RowBlocksLoop>},
    {Algorithm::persistent_block,
     {"persistent_block", false, true, true},
     make_persistent<PersistentKind::block>},
    {Algorithm::persistent_cluster,
     {"persistent_cluster", false, true, true},
     make_persistent<PersistentKind::cluster>},
    {Algorithm::persistent_grid,
     {"persistent_grid", false, true, true},
     make_persistent<PersistentKind::grid>},
    {Algorithm::cudnn, {"cudnn", false, true}, nullptr},
    {Algorithm::cudnn_standard, {"cudnn_standard", false, true}, nullptr},
    {Algorithm::cudnn_persist_static, {"cudnn_persist_static", false, true}, nullptr},
    {Algorithm::cudnn_persist_dynamic, {"cudnn_persist_dynamic", false, true}, nullptr},
    {Algorithm::cudnn_persist_static_small_h,
     {"cudnn_persist_static_small_h", false, true},
     nullptr}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kAlgorithms); ++i) {
    if (kAlgorithms[i].algorithm != static_cast<Algorithm>(i)) return false;
  }
  return true;
}
static_assert(in_order());

}  // namespace

const AlgorithmTraits& traits_of(Algorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)].traits;
}

const char* name_of(Algorithm algorithm) {
  const auto number = static_cast<std::size_t>(algorithm);
  return number < std::size(kAlgorithms) ? kAlgorithms[number].traits.name : "?";
}

std::unique_ptr<const TimeLoop> time_loop(Algorithm algorithm, const LoopRequest& request) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)].make(request);
}

std::string why_not(Algorithm algorithm, const RecurrentConfig& config, DeviceKind device) {
  const AlgorithmTraits& traits = traits_of(algorithm);
  if (device == DeviceKind::cuda ? !traits.on_cuda : !traits.on_cpu) {
    return device == DeviceKind::cuda ? "it runs on the CPU alone" : "it runs on CUDA alone";
  }
  if (is_cudnn(algorithm)) return why_cudnn_cannot(config);
  for (const RecurrentPass pass : {RecurrentPass::forward, RecurrentPass::backward}) {
    const std::string why =
        time_loop(algorithm, {.config = config, .device = device, .pass = pass, .batch = 1})
            ->why_not();
    if (!why.empty()) return why;
  }
  return "";
}

}  // namespace sluice
