// Stacked layers that overlap on several streams: the same bits as one after another, in every
// order that the events leave open. On the imagined GPU streams run as late as they may.
#include "engine/pass/wavefront.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/device/graph.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

using Parameters = std::tuple<Algorithm, Cell, bool>;  // dropout
class Wavefronts : public testing::TestWithParam<Parameters> {
 protected:
  void SetUp() override {
    const auto& [algorithm, cell, dropout] = GetParam();
    const Backend backend{DeviceKind::cuda, algorithm};
    if (const std::string why = why_unavailable(backend, cell); !why.empty()) GTEST_SKIP() << why;
    config.cell = cell;
    config.input_size = 5;
    config.hidden_size = algorithm == Algorithm::stepwise ? 6 : 18;
    if (dropout) config.input_dropout = config.layer_dropout = config.recurrent_dropout = 0.3;
  }

  using Pass = std::unique_ptr<RecurrentPass<float>>;
  Pass run(const SequenceLayout& layout, bool lanes, bool training,
           std::int32_t chunk_steps = 2) const {
    const Backend backend{DeviceKind::cuda, std::get<0>(GetParam()), chunk_steps, lanes};
    Pass pass = std::make_unique<RecurrentPass<float>>(config, backend, layout, training);
    fill_inputs(*pass);
    pass->forward();
    if (training) pass->backward();
    return pass;
  }

  RecurrentConfig config;
};

void expect_same_bits(const RecurrentPass<float>& a, const RecurrentPass<float>& b) {
  EXPECT_TRUE(same_bits(a.y, b.y));
  EXPECT_TRUE(same_bits(a.h_n, b.h_n));
  EXPECT_TRUE(same_bits(a.c_n, b.c_n));
  EXPECT_TRUE(same_bits(a.dx, b.dx));
  EXPECT_TRUE(same_bits(a.dh0, b.dh0));
  EXPECT_TRUE(same_bits(a.dc0, b.dc0));
  EXPECT_TRUE(same_bits(a.d_parameters, b.d_parameters));
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < b.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-5f) << i;
}

TEST_P(Wavefronts, GiveTheBitsOfLayersOneAfterAnother_cuda) {
  const SequenceLayout equal({7, 7, 7}), ragged({3, 7, 1, 5});
  for (const int layers : {2, 3, 6}) {  // 6: more than there are lanes
    config.num_layers = layers;
    const SequenceLayout& layout = layers == 2 ? equal : ragged;
    for (const bool training : {true, false}) {
      SCOPED_TRACE(std::to_string(layers) +
                   (training ? " layers, training" : " layers, inference"));
      const auto one_by_one = run(layout, false, training),
                 overlapping = run(layout, true, training);
      EXPECT_EQ(overlapping->plan().lanes(), std::min(layers, 4));
      const std::string text =
          overlapping->plan().explain({layout.rows(), layout.steps(), layout.batch()});
      EXPECT_NE(text.find("layers overlap, each 2 steps behind"), std::string::npos) << text;
      expect_same_bits(*overlapping, *one_by_one);
    }
  }
}

TEST_P(Wavefronts, OverlapBothDirectionsToo_cuda) {
  config.num_layers = 2;
  config.bidirectional = true;
  const SequenceLayout layout({3, 7, 1, 5});
  for (const std::int32_t chunk_steps : {0, 3}) {
    for (const bool training : {true, false}) {
      expect_same_bits(*run(layout, true, training, chunk_steps),
                       *run(layout, false, training, chunk_steps));
    }
  }
}

TEST_P(Wavefronts, WithoutChunksAreNearOneChunk_cuda) {
  config.num_layers = 3;
  const SequenceLayout layout({6, 2, 5});
  const auto whole = run(layout, true, true, 6), chunks = run(layout, true, true, 2);
  if (has_rows_apart(DeviceKind::cuda)) {
    EXPECT_TRUE(same_bits(chunks->y, whole->y));
    EXPECT_TRUE(same_bits(chunks->dx, whole->dx));
  }
  expect_near(chunks->y, whole->y);
  expect_near(chunks->dx, whole->dx);
  expect_near(chunks->d_parameters, whole->d_parameters);
}

INSTANTIATE_TEST_SUITE_P(
    All, Wavefronts,
    testing::Values(Parameters{Algorithm::stepwise, Cell::lstm, false},
                    Parameters{Algorithm::stepwise, Cell::gru, true},
                    Parameters{Algorithm::stepwise, Cell::gru_reset_before, false},
                    Parameters{Algorithm::persistent_block, Cell::lstm, true},
                    Parameters{Algorithm::persistent_cluster, Cell::gru, false},
                    Parameters{Algorithm::persistent_grid, Cell::rnn_tanh, false}),
    [](const auto& test) {
      return name_of(Backend{DeviceKind::cuda, std::get<0>(test.param)}) + "_" +
             sluice::name_of(std::get<1>(test.param)) + (std::get<2>(test.param) ? "_dropout" : "");
    });

TEST(WavefrontPlan, HasLanesForWhatCanOverlap) {
  RecurrentConfig config;
  config.input_size = config.hidden_size = 8;
  config.num_layers = 3;
  EXPECT_EQ(RecurrentPlan(config, DeviceKind::cpu).lanes(), 1);
  config.bidirectional = true;
  EXPECT_EQ(RecurrentPlan(config, DeviceKind::cuda, Algorithm::stepwise).lanes(), 2);
  config.bidirectional = false;
  EXPECT_EQ(RecurrentPlan(config, DeviceKind::cuda, Algorithm::stepwise).lanes(), 3);
  config.num_layers = 1;
  EXPECT_EQ(RecurrentPlan(config, DeviceKind::cuda, Algorithm::stepwise).lanes(), 1);
}

// What one chunk writes the layer above reads, on another stream, also in a graph.
TEST(WavefrontGraphs, KeepTheOrderOfEvents_cuda) {
  if (const std::string why = why_unavailable(DeviceKind::cuda); !why.empty()) GTEST_SKIP() << why;
  const TestDevice device(DeviceKind::cuda);
  add_lanes(device.queue(), 3);
  constexpr int layers = 5;
  constexpr std::size_t chunks = 4, bytes = 64;
  std::vector<std::unique_ptr<GuardedBuffer>> rows;
  for (std::size_t i = 0; i <= layers * chunks; ++i) {
    rows.push_back(std::make_unique<GuardedBuffer>(device.queue(), bytes));
  }
  const auto enqueue = [&] {
    Wavefront wavefront(device.queue(), 3, chunks);
    for (int layer = 0; layer < layers; ++layer) {
      for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        wavefront.wait(layer, chunk);
        const std::size_t from = layer == 0 ? 0 : (layer - 1) * chunks + chunk + 1;
        copy(wavefront.queue(layer), rows[layer * chunks + chunk + 1]->data(), rows[from]->data(),
             bytes);
        wavefront.done(layer, chunk);
      }
    }
    wavefront.join();
  };
  const std::vector<float> numbers(bytes / sizeof(float), 3.0f), others(numbers.size(), 4.0f);
  rows[0]->put(numbers);
  enqueue();
  for (std::size_t chunk = 1; chunk <= chunks; ++chunk) {
    EXPECT_EQ(rows[(layers - 1) * chunks + chunk]->get<float>(), numbers);
  }
  rows[0]->put(others);
  begin_recording(device.queue());
  enqueue();
  void* graph = nullptr;
  EXPECT_TRUE(end_recording(device.queue(), graph));
  launch_graph(device.queue(), graph);
  for (std::size_t chunk = 1; chunk <= chunks; ++chunk) {
    EXPECT_EQ(rows[(layers - 1) * chunks + chunk]->get<float>(), others);
  }
  destroy_graph(graph);
}

}  // namespace
}  // namespace sluice::test
