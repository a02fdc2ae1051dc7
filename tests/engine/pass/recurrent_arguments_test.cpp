// What a recurrent plan refuses, what it names its parameters, and what it says of itself.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/recurrent_pass.h"

namespace sluice::test {
namespace {

RecurrentConfig lstm_config() {
  RecurrentConfig config;
  config.input_size = 3;
  config.hidden_size = 4;
  return config;
}

void expect_usage_error(const std::function<void()>& action, const std::string& mentions) {
  try {
    action();
    ADD_FAILURE() << "no error that mentions " << mentions;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage) << error.what();
    EXPECT_NE(std::string(error.what()).find(mentions), std::string::npos) << error.what();
  }
}

TEST(RecurrentConfig, BadFieldsAreRefusedByName) {
  struct Bad {
    const char* field;
    std::function<void(RecurrentConfig&)> spoil;
  };
  const std::vector<Bad> bad = {
      {"input_size", [](RecurrentConfig& c) { c.input_size = 0; }},
      {"hidden_size", [](RecurrentConfig& c) { c.hidden_size = -1; }},
      {"num_layers", [](RecurrentConfig& c) { c.num_layers = 0; }},
      {"input_dropout", [](RecurrentConfig& c) { c.input_dropout = 1.0; }},
      {"layer_dropout", [](RecurrentConfig& c) { c.layer_dropout = -0.1; }},
      {"recurrent_dropout", [](RecurrentConfig& c) { c.recurrent_dropout = std::nan(""); }},
      {"zoneout_h", [](RecurrentConfig& c) { c.zoneout_h = 1.0; }},
      {"zoneout_c", [](RecurrentConfig& c) { c.zoneout_c = -0.5; }},
      {"zoneout_c",
       [](RecurrentConfig& c) {
         c.cell = Cell::gru;  // has no c
         c.zoneout_c = 0.5;
       }},
  };
  for (const Bad& one : bad) {
    RecurrentConfig config = lstm_config();
    one.spoil(config);
    expect_usage_error([&] { recurrent_parameters(config); }, one.field);
    expect_usage_error([&] { RecurrentPlan plan(config, DeviceKind::cpu); }, one.field);
  }
}

TEST(RecurrentPlan, RowBlocksAreForTheCpu) {
  expect_usage_error(
      [] { RecurrentPlan plan(lstm_config(), DeviceKind::cuda, Algorithm::row_blocks); }, "row");
}

TEST(RecurrentParameters, HaveTheNamesShapesAndOrderOfPyTorch) {
  RecurrentConfig config = lstm_config();
  config.num_layers = 2;
  config.bidirectional = true;
  const std::vector<ParameterView> views = recurrent_parameters(config);
  ASSERT_EQ(views.size(), 16u);
  const std::vector<std::string> names = {
      "weight_ih_l0",         "weight_hh_l0",         "bias_ih_l0",         "bias_hh_l0",
      "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse",
      "weight_ih_l1",         "weight_hh_l1",         "bias_ih_l1",         "bias_hh_l1",
      "weight_ih_l1_reverse", "weight_hh_l1_reverse", "bias_ih_l1_reverse", "bias_hh_l1_reverse"};
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < views.size(); ++i) {
    EXPECT_EQ(views[i].name, names[i]);
    EXPECT_EQ(views[i].offset, offset) << names[i];
    offset += views[i].size();
  }
  EXPECT_EQ(views[0].shape, (std::vector<std::int64_t>{16, 3}));
  EXPECT_EQ(views[1].shape, (std::vector<std::int64_t>{16, 4}));
  EXPECT_EQ(views[2].shape, (std::vector<std::int64_t>{16}));
  EXPECT_EQ(views[12].shape, (std::vector<std::int64_t>{16, 8})) << "both directions feed layer 1";
  EXPECT_EQ(parameter_count(views), offset);
}

TEST(RecurrentParameters, CountFollowsTheGatesOfTheCell) {
  RecurrentConfig config = lstm_config();
  for (const Cell cell : all_cells) {
    config.cell = cell;
    const CellSpec& spec = spec_of(cell);
    const int each_gate = 3 + (spec.recurrent_matrix ? 4 : 0) + 2;
    EXPECT_EQ(parameter_count(recurrent_parameters(config)),
              4 * (spec.gates * each_gate + spec.unit_weights));
  }
}

TEST(RecurrentParameters, SayWhatTheyDo) {
  RecurrentConfig config = lstm_config();
  config.num_layers = 2;
  config.bidirectional = true;
  for (const Cell cell : all_cells) {
    config.cell = cell;
    const CellSpec& spec = spec_of(cell);
    const std::vector<ParameterView> views = recurrent_parameters(config);
    std::size_t found = 0;
    for (int layer = 0; layer < 2; ++layer) {
      for (int direction = 0; direction < 2; ++direction) {
        const auto expect = [&](ParameterKind kind, const std::string& name, bool there) {
          const ParameterView* const view = find_parameter(views, kind, layer, direction);
          ASSERT_EQ(view != nullptr, there) << name;
          if (view == nullptr) return;
          ++found;
          EXPECT_EQ(view->name,
                    name + "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : ""));
          EXPECT_EQ(view->role.gates * view->role.gate_rows, view->shape[0]) << view->name;
          EXPECT_EQ(view->role.gate_rows, config.hidden_size) << view->name;
          if (view->shape.size() == 2) {
            EXPECT_EQ(view->role.fan_in, view->shape[1]) << view->name;
            EXPECT_EQ(view->role.fan_out, view->shape[0]) << view->name;
          }
        };
        expect(ParameterKind::input_matrix, "weight_ih", true);
        expect(ParameterKind::recurrent_matrix, "weight_hh", spec.recurrent_matrix);
        expect(ParameterKind::input_bias, "bias_ih", true);
        expect(ParameterKind::recurrent_bias, "bias_hh", true);
        expect(ParameterKind::unit_weight, spec.unit_weight_name, spec.unit_weights > 0);
      }
    }
    EXPECT_EQ(found, views.size());
  }
}

class RecurrentArguments : public ::testing::TestWithParam<Algorithm> {};

/// Good arguments on the CPU, for a test to spoil one.
struct GoodArguments {
  explicit GoodArguments(Algorithm algorithm)
      : plan(lstm_config(), DeviceKind::cpu, algorithm),
        workspace(queue, plan.workspace_bytes(shape)),
        reserve(queue, plan.reserve_bytes(shape)) {
    forward.sequences = backward.sequences = layout.host_view();
    forward.parameters = backward.parameters = parameters.data();
    forward.x = backward.x = x.data();
    forward.y = y.data();
    backward.y = y.data();
    backward.dy = dy.data();
    backward.dx = dx.data();
    backward.d_parameters = d_parameters.data();
    forward.workspace = backward.workspace = workspace.data();
    forward.reserve = backward.reserve = reserve.data();
  }
  Queue queue;
  RecurrentPlan plan;
  SequenceLayout layout = SequenceLayout::equal(2, 3);
  PassShape shape{6, 2, 3, true};
  std::vector<float> parameters = std::vector<float>(4 * 4 * (3 + 4 + 2)),
                     d_parameters = parameters;
  std::vector<float> x = std::vector<float>(6 * 3), dx = x, y = std::vector<float>(6 * 4), dy = y;
  GuardedBuffer workspace, reserve;
  RecurrentForwardArgs forward;
  RecurrentBackwardArgs backward;
};

TEST_P(RecurrentArguments, NullPointersAreRefusedByName) {
  GoodArguments good(GetParam());
  good.plan.forward(good.queue, good.forward);
  good.plan.backward(good.queue, good.backward);
  const auto forward_without = [&](auto member, const char* name) {
    RecurrentForwardArgs args = good.forward;
    args.*member = nullptr;
    expect_usage_error([&] { good.plan.forward(good.queue, args); }, name);
  };
  forward_without(&RecurrentForwardArgs::parameters, "parameters");
  forward_without(&RecurrentForwardArgs::x, "x");
  forward_without(&RecurrentForwardArgs::y, "y");
  forward_without(&RecurrentForwardArgs::workspace, "workspace");
  const auto backward_without = [&](auto member, const char* name) {
    RecurrentBackwardArgs args = good.backward;
    args.*member = nullptr;
    expect_usage_error([&] { good.plan.backward(good.queue, args); }, name);
  };
  backward_without(&RecurrentBackwardArgs::parameters, "parameters");
  backward_without(&RecurrentBackwardArgs::x, "x");
  backward_without(&RecurrentBackwardArgs::y, "y");
  backward_without(&RecurrentBackwardArgs::reserve, "reserve");
  backward_without(&RecurrentBackwardArgs::workspace, "workspace");
}

TEST_P(RecurrentArguments, ExplainSaysWhatRunsAndWhy) {
  const RecurrentPlan plan(lstm_config(), DeviceKind::cpu, GetParam());
  const PassShape shape{6, 2, 3, true};
  const std::string text = plan.explain(shape);
  if (GetParam() == Algorithm::automatic) {
    EXPECT_NE(plan.algorithm(shape), Algorithm::automatic) << "the plan chooses";
  } else {
    EXPECT_EQ(plan.algorithm(shape), GetParam());
  }
  const std::string name =
      plan.algorithm(shape) == Algorithm::row_blocks ? "row_blocks" : "stepwise";
  EXPECT_NE(text.find("algorithm: " + name + ", because"), std::string::npos) << text;
  for (const char* part : {"workspace", "reserve", "bytes"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  if (GetParam() != Algorithm::automatic) {
    EXPECT_NE(text.find("asked for"), std::string::npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentArguments,
                         ::testing::Values(Algorithm::automatic, Algorithm::stepwise,
                                           Algorithm::row_blocks),
                         [](const auto& test) {
                           return test.param == Algorithm::automatic    ? "automatic"
                                  : test.param == Algorithm::row_blocks ? "row_blocks"
                                                                        : "stepwise";
                         });

}  // namespace
}  // namespace sluice::test
