// Layers that overlap on a GPU of five multiprocessors: no more persistent grids at a time than it
// has room for, also where the caller asks for chunks. Streams run late, so that the imagined GPU
// knows which launches could be under way together, and fails where they could not all be resident.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cuda_on_cpu/device.h"
#include "kernels/device/graph.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

struct Stack {
  int hidden;
  int overlap;  ///< layers that find room side by side
};
constexpr Stack stacks[] = {{18, 2}, {100, 1}};  // of 2 and of 3 blocks

RecurrentConfig layers(const Stack& stack, int count = 4) {
  RecurrentConfig config;
  config.cell = Cell::gru;
  config.input_size = 5;
  config.hidden_size = stack.hidden;
  config.num_layers = count;
  return config;
}

std::unique_ptr<RecurrentPass<float>> run(const RecurrentConfig& config, Algorithm algorithm,
                                          bool lanes, bool training, int batch = 3) {
  const Backend backend{DeviceKind::cuda, algorithm, 2, lanes};
  const SequenceLayout layout = SequenceLayout::equal(7, batch);
  auto pass = std::make_unique<RecurrentPass<float>>(config, backend, layout, training);
  fill_inputs(*pass);
  pass->forward();
  if (training) pass->backward();
  return pass;
}

std::string explained(const RecurrentConfig& config, Algorithm algorithm, int batch = 3) {
  return RecurrentPlan(config, DeviceKind::cuda, algorithm, 2).explain({7 * batch, 7, batch, true});
}

TEST(CrowdedGpu, HasFiveMultiprocessors) { ASSERT_EQ(cuda_on_cpu::multiprocessors(), 5); }

TEST(CrowdedGpu, HoldsAllGridsThatOverlap) {
  for (const Stack& stack : stacks) {
    for (const bool training : {true, false}) {
      SCOPED_TRACE(std::to_string(stack.hidden) + (training ? ", training" : ", inference"));
      const RecurrentConfig config = layers(stack);
      const auto overlapping = run(config, Algorithm::persistent_grid, true, training);
      const auto one_by_one = run(config, Algorithm::persistent_grid, false, training);
      EXPECT_TRUE(same_bits(overlapping->y, one_by_one->y));
      EXPECT_TRUE(same_bits(overlapping->h_n, one_by_one->h_n));
      EXPECT_TRUE(same_bits(overlapping->dx, one_by_one->dx));
      EXPECT_TRUE(same_bits(overlapping->d_parameters, one_by_one->d_parameters));
    }
  }
}

TEST(CrowdedGpu, ExplainSaysHowManyOverlap) {
  const std::string two = explained(layers(stacks[0]), Algorithm::persistent_grid);
  EXPECT_NE(two.find("and 2 layers overlap, each 2 steps behind"), std::string::npos) << two;
  const std::string one = explained(layers(stacks[1]), Algorithm::persistent_grid);
  EXPECT_EQ(one.find("overlap"), std::string::npos) << one;
  // More groups of rows take more room.
  const std::string rows = explained(layers(stacks[0]), Algorithm::persistent_grid, 17);
  EXPECT_EQ(rows.find("overlap"), std::string::npos) << rows;
}

TEST(CrowdedGpu, ChunksOfOtherAlgorithmsGoByTheirOwnRoom) {
  for (const Algorithm algorithm : {Algorithm::persistent_block, Algorithm::stepwise}) {
    const std::string text = explained(layers({18, 0}), algorithm);
    EXPECT_NE(text.find("and 4 layers overlap, each 2 steps behind"), std::string::npos) << text;
  }
}

// What the header asks of a caller: two plans on two streams are the caller's to keep apart.
TEST(CrowdedGpu, CannotHoldTheGridsOfTwoPlansOnTwoStreams) {
  const TestDevice device(DeviceKind::cuda);
  add_lanes(device.queue(), 2);
  const Queue& other = device.queue().lanes->queues.front();
  const RecurrentConfig config = layers(stacks[1], 1);
  const RecurrentPlan plan(config, DeviceKind::cuda, Algorithm::persistent_grid);
  const SequenceLayout layout = SequenceLayout::equal(3, 3);
  const PassShape shape{9, 3, 3, false};
  const GuardedBuffer layout_memory(device.queue(), SequenceLayout::device_bytes(9, 3, 3));
  const Sequences sequences = layout.upload(device.queue(), layout_memory.data());
  const GuardedBuffer parameters(
      device.queue(),
      random_numbers<float>(static_cast<std::size_t>(parameter_count(recurrent_parameters(config))),
                            1));
  const GuardedBuffer x(device.queue(), random_numbers<float>(9 * 5, 2));
  const GuardedBuffer y(device.queue(), 9 * 100 * sizeof(float)),
      y_of_other(device.queue(), y.bytes());
  const GuardedBuffer workspace(device.queue(), plan.workspace_bytes(shape)),
      workspace_of_other(device.queue(), workspace.bytes());
  synchronize(device.queue());
  const auto forward = [&](const Queue& queue, const GuardedBuffer& to,
                           const GuardedBuffer& scratch) {
    plan.forward(queue, {.sequences = sequences,
                         .parameters = parameters.data(),
                         .x = x.data(),
                         .y = to.data(),
                         .workspace = scratch.data()});
  };
  forward(device.queue(), y, workspace);
  synchronize(device.queue());
  forward(other, y_of_other, workspace_of_other);  // after the first one has ended
  synchronize(other);
  EXPECT_TRUE(same_bits(y.get<float>(), y_of_other.get<float>()));

  forward(device.queue(), y, workspace);
  forward(other, y_of_other, workspace_of_other);
  try {
    synchronize(other);
    ADD_FAILURE() << "six blocks on five multiprocessors";
  } catch (const Error& error) {
    EXPECT_NE(
        std::string(error.what()).find("have 6 blocks together, more than the 5 multiprocessors"),
        std::string::npos)
        << error.what();
  }
  cuda_on_cpu::break_context(cudaSuccess);
  synchronize(device.queue());
}

}  // namespace
}  // namespace sluice::test
