#include "host/network/model_config.h"

#include <gtest/gtest.h>

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
  config.recurrent_dropout = 0.3;
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
  EXPECT_EQ(back.recurrent_dropout, 0.3);
  EXPECT_EQ(back.head_dropout, 0.4);
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
  refused([](ModelConfig& c) { c.recurrent_dropout = 2.0; }, "recurrent_dropout");
}

TEST(ModelConfig, TwoClassesHaveOneLogit) {
  ModelConfig config;
  EXPECT_EQ(config.logits(), 1);
  config.classes = 3;
  EXPECT_EQ(config.logits(), 3);
}

}  // namespace
}  // namespace sluice
