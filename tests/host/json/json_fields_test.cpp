#include "host/json/json_fields.h"

#include <gtest/gtest.h>

#include <array>

#include "kernels/base/error.h"

namespace sluice {
namespace {

enum class Colour { red, green };
const char* name_of(Colour colour) { return colour == Colour::red ? "red" : "green"; }
Colour colour_from_name(const std::string& name) {
  if (name == "red") return Colour::red;
  if (name == "green") return Colour::green;
  throw Error::usage("colour must be red or green, got '" + name + "'");
}

struct Inner {
  double rate = 0.25;
};
struct Settings {
  std::int32_t count = 3;
  std::uint32_t step = 0;
  bool on = true;
  double rate = 0.5;
  std::string name = "plain";
  std::array<double, 2> pair{1.0, 2.0};
  std::vector<std::string> words;
  Colour colour = Colour::red;
  Inner inner;
  double later = 0.0;
};

JsonFields fields_of(Settings& settings) {
  JsonFields fields = {json_field("count", settings.count),
                       json_field("step", settings.step),
                       json_field("on", settings.on),
                       json_field("rate", settings.rate),
                       json_field("name", settings.name),
                       json_field("pair", settings.pair),
                       json_field("words", settings.words),
                       json_field("colour", settings.colour, name_of, colour_from_name),
                       json_field("inner", JsonFields{json_field("rate", settings.inner.rate)}),
                       json_field("later", settings.later)};
  fields.back().when_set = true;
  return fields;
}

std::string written(Settings settings) {
  Settings plain;
  return write_fields(fields_of(settings), fields_of(plain)).dump();
}

Settings read(const std::string& text) {
  Settings settings;
  read_fields(text, fields_of(settings), "run.json", "the description");
  return settings;
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::runtime);
    return error.what();
  }
  return "accepted";
}

constexpr const char* plain_text =
    R"({"count":3,"step":0,"on":true,"rate":0.5,"name":"plain","pair":[1.0,2.0],"words":[],)"
    R"("colour":"red","inner":{"rate":0.25}})";

TEST(JsonFields, AreWrittenInTheirOrderAndReadBack) {
  EXPECT_EQ(written({}), plain_text);
  Settings other;
  other.count = -7;
  other.step = 4'000'000'000u;
  other.on = false;
  other.rate = 1.0 / 3.0;
  other.name = "caf\xC3\xA9 \"x\"";
  other.pair = {0.1, -2e300};
  other.words = {"a", "b"};
  other.colour = Colour::green;
  other.inner.rate = 0.75;
  other.later = 0.1;
  const Settings back = read(written(other));
  EXPECT_EQ(back.count, -7);
  EXPECT_EQ(back.step, 4'000'000'000u);
  EXPECT_FALSE(back.on);
  EXPECT_EQ(back.rate, 1.0 / 3.0);
  EXPECT_EQ(back.name, other.name);
  EXPECT_EQ(back.pair, other.pair);
  EXPECT_EQ(back.words, other.words);
  EXPECT_EQ(back.colour, Colour::green);
  EXPECT_EQ(back.inner.rate, 0.75);
  EXPECT_EQ(back.later, 0.1);
}

TEST(JsonFields, WhatAFileLacksHasItsDefault) {
  EXPECT_EQ(written(read("{}")), plain_text);
  EXPECT_EQ(read(R"({"inner":{}})").inner.rate, 0.25);
  EXPECT_EQ(read(R"({"count":5})").count, 5);
}

TEST(JsonFields, AnOptionThatCameLaterIsWrittenWhereItIsUsed) {
  EXPECT_EQ(written({}).find("later"), std::string::npos);
  Settings settings;
  settings.later = 0.1;
  EXPECT_NE(written(settings).find(R"("later":0.1)"), std::string::npos);
}

TEST(JsonFields, RefusalsNameTheFieldAndTheFile) {
  const struct {
    const char *text, *what;
  } cases[] = {
      {R"({"cuont":5})", "unknown field 'cuont'"},
      {R"({"inner":{"speed":5}})", "'inner': unknown field 'speed'"},
      {R"({"count":5.5})", "'count': expected an integer"},
      {R"({"count":3000000000})", "'count': expected an integer from -2147483648 to 2147483647"},
      {R"({"count":"5"})", "'count': expected an integer"},
      {R"({"step":-1})", "'step': expected an integer from 0"},
      {R"({"on":1})", "'on'"},
      {R"({"rate":"0.5"})", "'rate'"},
      {R"({"name":5})", "'name'"},
      {R"({"pair":[1.0]})", "'pair'"},
      {R"({"colour":"blue"})", "colour must be red or green, got 'blue'"},
      {R"({"colour":1})", "'colour'"},
      {R"({"inner":3})", "'inner'"},
      {"[1]", "object"},
      {"nonsense", "cannot be read"},
      {"", "cannot be read"},
  };
  for (const auto& wrong : cases) {
    const std::string message = refusal(wrong.text);
    EXPECT_TRUE(message.starts_with("run.json: the description ")) << wrong.text << message;
    EXPECT_NE(message.find(wrong.what), std::string::npos) << wrong.text << ": " << message;
  }
}

}  // namespace
}  // namespace sluice
