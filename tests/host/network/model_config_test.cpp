#include "host/network/model_config.h"

#include <gtest/gtest.h>

#include "host/network/parameters.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

ModelConfig unusual() {
  ModelConfig config;
  config.vocabulary_size = 12345;
  config.embedding_size = 17;
  config.cell = Cell::gru_reset_before;
  config.hidden_size = 33;
  config.num_layers = 3;
  config.bidirectional = true;
  config.pooling = Pooling::max;
  config.classes = 7;
  config.word_dropout = 0.05;
  config.input_dropout = 0.1;
  config.layer_dropout = 1.0 / 3.0;
  config.unit_options.recurrent_dropout = 0.3;
  config.unit_options.zoneout_h = 0.05;
  config.head_dropout = 0.4;
  return config;
}

TEST(ModelConfig, JsonKeepsEveryField) {
  const ModelConfig config = unusual();
  const ModelConfig back = ModelConfig::from_json(config.to_json(), "test");
  EXPECT_EQ(back.vocabulary_size, 12345);
  EXPECT_EQ(back.embedding_size, 17);
  EXPECT_EQ(back.cell, Cell::gru_reset_before);
  EXPECT_EQ(back.hidden_size, 33);
  EXPECT_EQ(back.num_layers, 3);
  EXPECT_TRUE(back.bidirectional);
  EXPECT_EQ(back.pooling, Pooling::max);
  EXPECT_EQ(back.classes, 7);
  EXPECT_EQ(back.word_dropout, 0.05);
  EXPECT_EQ(back.input_dropout, 0.1);
  EXPECT_EQ(back.layer_dropout, 1.0 / 3.0);
  EXPECT_EQ(back.unit_options.recurrent_dropout, 0.3);
  EXPECT_EQ(back.unit_options.zoneout_h, 0.05);
  EXPECT_EQ(back.to_json(), config.to_json());
  EXPECT_EQ(back.head_dropout, 0.4);
}

TEST(ModelConfig, FramesStandInPlaceOfTokens) {
  ModelConfig config = unusual();
  EXPECT_EQ(config.to_json().find("frame_width"), std::string::npos) << "older versions read it";
  config.word_dropout = 0.0;
  config.frame_width = 3;
  EXPECT_EQ(ModelConfig::from_json(config.to_json(), "test").frame_width, 3);
  EXPECT_EQ(config.recurrent().input_size, 3);
  EXPECT_EQ(ParameterLayout(config, {}).views.front().name, "rnn.weight_ih_l0");
  config.embedding_size = 0;
  EXPECT_FALSE(config.one_hot());
  EXPECT_FALSE(config.recurrent().gate_input);
  config.word_dropout = 0.1;
  EXPECT_THROW(config.validate(), Error);
  config.word_dropout = 0.0;
  config.frame_width = -1;
  EXPECT_THROW(config.validate(), Error);
}

TEST(ModelConfig, BrokenJsonNamesWhereItCameFrom) {
  for (const std::string& bad : {std::string("{}"), std::string("nonsense"), std::string("[1]")}) {
    try {
      ModelConfig::from_json(bad, "model.safetensors");
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::runtime);
      EXPECT_NE(std::string(error.what()).find("model.safetensors"), std::string::npos);
    }
  }
  ModelConfig config = unusual();
  std::string text = config.to_json();
  text.replace(text.find("gru_reset_before"), 16, "transformer");
  EXPECT_THROW(ModelConfig::from_json(text, "test"), Error);
}

// What commit 1f30956 wrote.
TEST(ModelConfig, AnOlderFilesFieldsAreReadAndTheOthersHaveTheirDefaults) {
  const std::string older =
      R"({"vocabulary_size":30,"embedding_size":6,"cell":"lstm","hidden_size":5,"num_layers":2,)"
      R"("bidirectional":true,"pooling":"mean","classes":3,"word_dropout":0.1,)"
      R"("input_dropout":0.2,"layer_dropout":0.2,"recurrent_dropout":0.15,"head_dropout":0.2})";
  const ModelConfig config = ModelConfig::from_json(older, "test");
  EXPECT_EQ(config.unit_options.recurrent_dropout, 0.15);
  EXPECT_FALSE(config.unit_options.wrap());
  EXPECT_EQ(config.to_json(), older) << "that version still reads what does without new options";
  EXPECT_EQ(ModelConfig::from_json(R"({"vocabulary_size":30})", "test").hidden_size, 64);
}

TEST(ModelConfig, AFieldOfANewerVersionIsRefusedByName) {
  std::string text = unusual().to_json();
  text.insert(1, R"("attention_heads":4,)");
  try {
    ModelConfig::from_json(text, "model.safetensors");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::runtime);
    EXPECT_NE(std::string(error.what()).find("'attention_heads'"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("newer version"), std::string::npos) << error.what();
  }
}

TEST(ModelConfig, EveryCellOfTheListHasAName) {
  for (const std::string& name : cell_names()) {
    if (name == "rnn") continue;
    EXPECT_EQ(name_of(cell_from_name(name)), name);
  }
  EXPECT_EQ(cell_from_name("rnn"), Cell::rnn_tanh);
  EXPECT_THROW(cell_from_name("LSTM"), Error);
}

TEST(ModelConfig, RefusesSizesAndRatesOutOfRange) {
  const auto refused = [](auto change, const char* field) {
    ModelConfig config = unusual();
    change(config);
    try {
      config.validate();
      ADD_FAILURE() << field << " was accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(field), std::string::npos) << error.what();
    }
  };
  EXPECT_NO_THROW(unusual().validate());
  refused([](ModelConfig& c) { c.vocabulary_size = 0; }, "vocabulary_size");
  refused([](ModelConfig& c) { c.embedding_size = -1; }, "embedding_size");
  refused([](ModelConfig& c) { c.hidden_size = std::int64_t{1} << 40; }, "hidden_size");
  refused([](ModelConfig& c) { c.num_layers = 0; }, "num_layers");
  refused([](ModelConfig& c) { c.classes = 1; }, "classes");
  refused([](ModelConfig& c) { c.input_dropout = 1.0; }, "input_dropout");
  refused([](ModelConfig& c) { c.head_dropout = -0.1; }, "head_dropout");
  for (const UnitOption& option : unit_option_list) {
    refused([&](ModelConfig& c) { c.unit_options.*option.rate = 2.0; }, option.name);
  }
  refused([](ModelConfig& c) { c.unit_options.zoneout_c = 0.1; }, "zoneout_c");  // a GRU has no c
}

}  // namespace
}  // namespace sluice
