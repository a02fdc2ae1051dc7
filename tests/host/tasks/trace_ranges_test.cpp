// The ranges that a profiler sees of a training pass: this program listens as a profiler does.
#include <gtest/gtest.h>

#ifdef SLUICE_WITH_CUDA
#define NVTX_NO_IMPL  // as for a profiler: the types alone
#include <nvtx3/nvToolsExt.h>

#include <string>
#include <vector>

#include "host/device.h"
#include "host/network/initialization.h"
#include "host/tasks/list.h"
#include "host/tasks/model.h"

namespace {

struct Range {
  std::string name;
  int depth;
};
std::vector<Range> ranges;
int depth = 0;

int push(const char* name) {
  ranges.push_back({name, depth});
  return depth++;
}
int pop() { return --depth; }

int listen(NvtxGetExportTableFunc_t get_table) {
  const auto* const callbacks =
      static_cast<const NvtxExportTableCallbacks*>(get_table(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size) == 0) return 0;
  *table[NVTX_CBID_CORE_RangePushA] = reinterpret_cast<NvtxFunctionPointer>(push);
  *table[NVTX_CBID_CORE_RangePop] = reinterpret_cast<NvtxFunctionPointer>(pop);
  return 1;
}

}  // namespace

extern "C" {
extern NvtxInitializeInjectionNvtxFunc_t
    InitializeInjectionNvtx2_fnptr;  // where NVTX looks for one
NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr = listen;
}

namespace sluice {
namespace {

TEST(TraceRanges, NameEveryLayerDirectionAndPass) {
  const Device device = Device::open("cpu", 1);
  ModelConfig config;
  config.vocabulary_size = 10;
  config.embedding_size = 3;
  config.hidden_size = 4;
  config.num_layers = 2;
  config.bidirectional = true;
  Model model(device.queue(), default_task(), config);
  model.set_parameters(initial_parameters(config, model.layout(), Initialization::pytorch, 3));
  Dataset dataset;
  dataset.tokens = {3, 4, 5, 6};
  dataset.offsets = {0, 3, 4};
  dataset.labels = {1, 0};
  const Batch batch = make_batch(dataset, all_rows(dataset));
  ranges.clear();
  model.train_pass(batch, {}, nullptr);
  const auto found = [](const char* name, int at) {
    for (const Range& range : ranges) {
      if (range.name == name && range.depth == at) return true;
    }
    return false;
  };
  for (const char* pass : {"forward", "backward"}) {
    for (const char* layer : {"0", "0 reverse", "1", "1 reverse"}) {
      const std::string name = std::string("lstm ") + pass + ", layer " + layer;
      EXPECT_TRUE(found(name.c_str(), 1)) << name;
    }
  }
  for (const char* name :
       {"embedding", "recurrent layers", "pooling and head", "loss", "backward"}) {
    EXPECT_TRUE(found(name, 0)) << name;
  }
  EXPECT_EQ(depth, 0) << "a range is not closed";
}

}  // namespace
}  // namespace sluice

#else

TEST(TraceRanges, NameEveryLayerDirectionAndPass) {
  GTEST_SKIP() << "a build without CUDA has no NVTX";
}

#endif
