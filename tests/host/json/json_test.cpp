// Values of JSON: what is written, what is read, and what is said of the wrong.
#include "host/json/json.h"

#include <gtest/gtest.h>
#include <limits>

#include "host/json/json_events.h"

namespace sluice {
namespace {

std::string message_of(const auto& act) {
  try {
    act();
  } catch (const JsonError& error) {
    return error.what();
  }
  return "no JsonError";
}

TEST(Json, WritesObjectsInTheOrderTheyWereMade) {
  Json object = Json::object({{"z", 1}, {"a", nullptr}, {"list", Json::array({true, "x", 2.5})}});
  object["m"] = std::vector<std::vector<std::int64_t>>{{1, 2}, {3}};
  object["z"] = 7;
  EXPECT_EQ(object.dump(), R"({"z":7,"a":null,"list":[true,"x",2.5],"m":[[1,2],[3]]})");
  EXPECT_EQ(Json::object({{"a", Json::array()}, {"b", Json::array({1})}}).dump(2),
            "{\n  \"a\": [],\n  \"b\": [\n    1\n  ]\n}");
  EXPECT_EQ(Json().dump(), "null");
  EXPECT_EQ(Json(std::map<std::string, std::string>{{"b", "2"}, {"a", "1"}}).dump(),
            R"({"a":"1","b":"2"})");
}

TEST(Json, WritesNumbersThatComeBackTheSame) {
  EXPECT_EQ(Json(0.1).dump(), "0.1");
  EXPECT_EQ(Json(1.0).dump(), "1.0");
  EXPECT_EQ(Json(0.1f).dump(), "0.10000000149011612");
  EXPECT_EQ(Json(-1e-7).dump(), "-1e-07");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<std::uint64_t>::max()).dump(), "18446744073709551615");
  EXPECT_EQ(Json(std::numeric_limits<std::int64_t>::min()).dump(), "-9223372036854775808");
  for (const double value : {1.0 / 3.0, 5e-324, 1.7976931348623157e308, 123456789012345680.0}) {
    EXPECT_EQ(Json::parse(Json(value).dump()).get<double>(), value);
  }
}

TEST(Json, EscapesTextAndMindsItsEncoding) {
  EXPECT_EQ(Json("\"\\\n\t\x01\xc3\xa9").dump(), "\"\\\"\\\\\\n\\t\\u0001\xc3\xa9\"");
  EXPECT_EQ(Json("a\xff").dump(-1, Json::IllFormed::replace), "\"a\xef\xbf\xbd\"");
  EXPECT_NE(message_of([] { Json("a\xff").dump(); }).find("invalid UTF-8 byte"), std::string::npos);
}

TEST(Json, ReadsWhatIsThere) {
  const Json json = Json::parse(
      R"({"whole": 3, "minus": -3, "real": 2.5, "yes": true, "names": ["a", "b"], "none": null,
          "totals": [1, 2.5, 3]})");
  EXPECT_EQ(json.at("whole").get<int>(), 3);
  EXPECT_EQ(json.at("minus").get<std::int64_t>(), -3);
  EXPECT_EQ(json.at("real").get<int>(), 2);
  EXPECT_TRUE(json.at("yes").get<bool>());
  EXPECT_EQ(json.at("names").get<std::vector<std::string>>(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((json.at("totals").get<std::array<double, 3>>()),
            (std::array<double, 3>{1.0, 2.5, 3.0}));
  EXPECT_TRUE(json.at("whole").is_unsigned());
  EXPECT_FALSE(json.at("minus").is_unsigned());
  EXPECT_TRUE(json.at("minus").is_integer());
  EXPECT_FALSE(json.at("real").is_integer());
  EXPECT_TRUE(json.at("none").is_null());
  EXPECT_EQ(json.find("absent"), nullptr);
  EXPECT_EQ(json.size(), 7u);
  EXPECT_EQ(json.members().front().first, "whole");
}

TEST(Json, KeepsTheLastOfAKeyGivenTwice) {
  EXPECT_EQ(Json::parse(R"({"a": 1, "b": 2, "a": {"c": 3, "c": 4}})").dump(),
            R"({"a":{"c":4},"b":2})");
}

TEST(Json, SaysWhatIsWrong) {
  const Json json = Json::parse(R"({"n": "3", "list": [1]})");
  EXPECT_EQ(message_of([&] { json.at("n").get<int>(); }),
            "[json.exception.type_error.302] type must be number, but is string");
  EXPECT_EQ(message_of([&] { json.get<std::string>(); }),
            "[json.exception.type_error.302] type must be string, but is object");
  EXPECT_EQ(message_of([&] { json.at("list").get<bool>(); }),
            "[json.exception.type_error.302] type must be boolean, but is array");
  EXPECT_EQ(message_of([&] { json.at("n").get<std::vector<std::string>>(); }),
            "[json.exception.type_error.302] type must be array, but is string");
  EXPECT_EQ(message_of([&] { json.at("m"); }),
            "[json.exception.out_of_range.403] key 'm' not found");
  EXPECT_EQ(message_of([&] { json.at("n").at("m"); }),
            "[json.exception.type_error.304] cannot use at() with string");
  EXPECT_EQ(message_of([&] { json.at("list").get<std::array<double, 3>>(); }),
            "[json.exception.out_of_range.401] array index 1 is out of range");
  EXPECT_EQ(message_of([] { Json::parse("{\n \"a\": }"); }),
            "[json.exception.parse_error.101] parse error at line 2, column 7: syntax error while "
            "parsing value - unexpected '}'; expected '[', '{', or a literal");
  EXPECT_NE(message_of([] { Json::parse("[1e999]"); }).find("number overflow"), std::string::npos);
  EXPECT_NE(message_of([] { Json::parse("1 2"); }), "no JsonError");
  EXPECT_NE(message_of([] { Json::parse(""); }), "no JsonError");
}

TEST(Json, ComparesNumbersByValue) {
  EXPECT_EQ(Json(1), Json(1u));
  EXPECT_EQ(Json(1), Json(1.0));
  EXPECT_NE(Json(-1), Json(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_NE(Json(1), Json(true));
  EXPECT_NE(Json(1), Json("1"));
  EXPECT_EQ(Json::parse("[1, {\"a\": 2}]"), Json::array({1.0, Json::object({{"a", 2u}})}));
}

// A value by value on the stack would be one frame a level.
TEST(Json, TakesTextsNestedAsDeepAsTheyAreLong) {
  const std::size_t depth = 1 << 20;
  for (const auto& [open, close] :
       {std::pair<std::string, std::string>{"[", "]"}, {"{\"a\":", "}"}}) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    EXPECT_EQ(Json::parse(text).size(), 1u);
    text.resize(text.size() / 2);
    EXPECT_NE(message_of([&] { Json::parse(text); }), "no JsonError");
  }
}

TEST(Json, EventsComeInTheTextsOrder) {
  struct Listener : JsonEvents {
    std::string heard;
    void begin_object() override { heard += "{"; }
    void key(std::string name) override { heard += name + ":"; }
    void end_object() override { heard += "}"; }
    void begin_array() override { heard += "["; }
    void end_array() override { heard += "]"; }
    void value(Json scalar) override { heard += scalar.dump() + " "; }
    void error(std::size_t position, const std::string& token, const std::string&) override {
      heard += "!" + std::to_string(position) + token;
    }
  };
  Listener whole, cut;
  EXPECT_TRUE(read_json(R"({"a": [1, -2, 0.5, "x"], "b": null, "c": false})", whole));
  EXPECT_EQ(whole.heard, R"({a:[1 -2 0.5 "x" ]b:null c:false })");
  EXPECT_FALSE(read_json(R"({"a": "xy)", cut));
  EXPECT_EQ(cut.heard, R"({a:!10"xy)");
}

}  // namespace
}  // namespace sluice
