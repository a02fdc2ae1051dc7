#include "host/text/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Utf8, AcceptsTheEdgesOfEveryLength) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8(std::string_view("\0\x7F", 2)));
  EXPECT_TRUE(is_valid_utf8("\xC2\x80\xDF\xBF"));                  // U+0080, U+07FF
  EXPECT_TRUE(is_valid_utf8("\xE0\xA0\x80\xED\x9F\xBF"));          // U+0800, U+D7FF
  EXPECT_TRUE(is_valid_utf8("\xEE\x80\x80\xEF\xBF\xBF"));          // U+E000, U+FFFF
  EXPECT_TRUE(is_valid_utf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));  // U+10000, U+10FFFF
}

TEST(Utf8, NamesTheFirstIllFormedByte) {
  const std::string ascii = "twelve bytes";
  const struct {
    const char* what;
    std::string bytes;
  } faults[] = {
      {"continuation alone", "\x80"},
      {"overlong, two bytes", "\xC0\x80"},
      {"overlong, three bytes", "\xE0\x9F\xBF"},
      {"overlong, four bytes", "\xF0\x8F\xBF\xBF"},
      {"surrogate", "\xED\xA0\x80"},
      {"past U+10FFFF", "\xF4\x90\x80\x80"},
      {"never a first byte", "\xFF"},
      {"cut after one of two", "\xC3"},
      {"cut after two of three", "\xE2\x82"},
      {"cut after three of four", "\xF0\x9F\x98"},
      {"second byte wrong", "\xE2(\xA1"},
  };
  for (const auto& fault : faults) {
    EXPECT_EQ(find_invalid_utf8(fault.bytes), 0u) << fault.what;
    EXPECT_EQ(find_invalid_utf8(ascii + fault.bytes), ascii.size()) << fault.what;
    EXPECT_EQ(find_invalid_utf8(ascii + fault.bytes + ascii), ascii.size()) << fault.what;
  }
}

TEST(Utf8, QuotesForMessages) {
  EXPECT_EQ(quote("plain"), "'plain'");
  EXPECT_EQ(quote("tab\there\xFF"), "'tab\\x09here\\xFF'");
  EXPECT_EQ(quote("caf\xC3\xA9"), "'caf\xC3\xA9'");
  EXPECT_EQ(quote("caf\xC3\xA9", 4), "'caf'...");
  EXPECT_EQ(quote("abcdef", 3), "'abc'...");
}

}  // namespace
}  // namespace sluice
