// What is taken for a table, for JSON or for binary, and above all what is not.
#include "host/data/foreign_format.h"

#include <gtest/gtest.h>

#include "host/data/builtin_reviews.h"
#include "host/data/loose_records.h"

namespace sluice {
namespace {

using namespace std::string_literals;

// As `sluice predict` asks.
std::string found(const std::string& text, bool whole = true) {
  if (const auto format = find_binary_format(text)) return format->name;
  if (const auto format = find_json(text, whole)) return format->name;
  if (const auto format = find_table(text, whole)) return format->name;
  return "";
}

std::string utf16(const std::u16string& text, bool little, bool mark) {
  std::string bytes;
  for (const char16_t c : (mark ? u"\uFEFF" : u"") + text) {
    const char low = static_cast<char>(c & 0xFF), high = static_cast<char>(c >> 8);
    bytes += little ? low : high;
    bytes += little ? high : low;
  }
  return bytes;
}

TEST(ForeignFormat, Prose) {
  for (
      const std::string& text : {
          ""s,
          "\n\n"s,
          "One sentence"s,
          "One\n"s,
          "The acting was dull, but the plot was superb.\nThe acting was superb, but it was dull.\n"s,
          "Yes, it was fun\nNo, it was not\nWell, it was fine\nSo, what\n"s,
          "Red, green, blue\nGood, bad, ugly\nOne, two, three\n"s,
          "Long; too long\nFun; great fun\nBad; very bad\n"s,
          "a tab\tin one text\n"s,
          "a tab\tin one text\nand none here\nnor here\nnor there\n"s,
          "two\ttabs\there\nand one\there\nnone here\nwell\n"s,
          "\tEach line\n\tbegins with\n\ta tab\n"s,
          "{Sarcasm} what a great film\n"s,
          "{\"great\"} is what he said\n{\"awful\"} is what she said\n{\"long\"} it was\n"s,
          "{\"a\": 1, \"b\": 2} is what the film is about\nIt is fun\n"s,
          "{}\n[]\n"s,
          "{ and } are braces\n"s,
          "[Spoilers] the butler did it\n[Spoilers] the cook did it\n"s,
          "[1] A footnote\n[2] Another\n"s,
          "[1]\n[2]\n"s,
          "[\"Great\", he said]\n"s,
          "[\n"s,
          "\"I loved it,\" she said.\n\"I hated it,\" he said.\n\"Well,\" they said.\n"s,
          "\"A wholly quoted line.\"\n\"Another, with a comma.\"\n\"A third.\"\n"s,
          "\"Never closed\nSo what, it is prose\nThe end\n"s,
          "Text, label and id are columns\nThey are, after all\n"s,
          "Content, at last\nHappy, content\n"s,
          "text\nlabel\nreview\n"s,
          "1,200 people came\n2,300 people left\n3,400 people stayed\n"s,
          "2016,the year of it\n"s,
          "10/10, would watch again\n9/10, would watch again\n"s,
          "Great,great,great\nI said so , and so\nFine\n"s,
          "fun,light\nlong,dark\nold,slow\nfun,slow\nold,dark\n"s,
          "I paid 5,99\nThey paid 4,99\nWe paid 3,99\n"s,
          "no blank,after it\nnone either,you see\nnor here,I fear\nagain,and again\n"s,
          "caf\xC3\xA9, na\xC3\xAFve\n\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xB8\x96\n"s,
          "Latin-1 caf\xE9\nna\xEFve\n"s,
          "BZh is a name\nPK too\n"s,
          "ends in CR LF\r\nand again\r\n"s,
      }) {
    EXPECT_EQ(found(text), "") << text;
    EXPECT_EQ(found(text, false), "") << text;
  }
}

TEST(ForeignFormat, BuiltinReviewsAreProse) {
  std::string text;
  for (const Example& example : builtin_reviews({}).examples) text += example.text + "\n";
  for (std::size_t i = 0; i < 100; ++i) {
    const std::size_t begin = text.find('\n', i * (text.size() / 101)) + 1;
    for (const std::size_t bytes : {100, 1000, 100'000}) {
      ASSERT_EQ(found(text.substr(begin, bytes), false), "") << text.substr(begin, bytes);
    }
  }
}

TEST(ForeignFormat, Binary) {
  EXPECT_EQ(found("\x1F\x8B\x08\0"s), "gzip");
  EXPECT_EQ(found("\x1F\x8B"s), "gzip");
  EXPECT_EQ(found("BZh91AY&SYxx"s), "bzip2");
  EXPECT_EQ(found("\xFD\x37zXZ\0xx"s), "xz");
  EXPECT_EQ(found("\x28\xB5\x2F\xFDxx"s), "zstd");
  EXPECT_EQ(found("PK\x03\x04xx"s), "a zip archive or a spreadsheet");
  EXPECT_EQ(found("\x7F"
                  "ELF\x02\x01\0\0\0\0\0\0\0\0"s),
            "a binary file (it has NUL bytes)");
  EXPECT_EQ(found("one\0two\0three\0"s), "a binary file (it has NUL bytes)");
  EXPECT_EQ(found("one line\nand a NUL\0in another\n"s), "a binary file (it has NUL bytes)");
}

TEST(ForeignFormat, Utf16) {
  for (const std::u16string& text :
       {u"It was fun.\nIt was not.\n"s, u"na\u00EFve caf\u00E9\n"s,
        u"\u042D\u0442\u043E \u0444\u0438\u043B\u044C\u043C\n\u0438 \u0432\u0441\u0451\n"s,
        u"\u8FD9\u90E8\u7535\u5F71\u5F88\u597D\n\u5F88\u957F\n"s}) {
    for (const bool little : {true, false}) {
      EXPECT_EQ(found(utf16(text, little, true)), "UTF-16");
      EXPECT_EQ(found(utf16(text, little, false)), little ? "UTF-16LE without a byte-order mark"
                                                          : "UTF-16BE without a byte-order mark");
    }
  }
  EXPECT_EQ(find_binary_format(utf16(u"fun\n", false, false))->filter,
            "iconv -f UTF-16BE -t UTF-8");
  EXPECT_EQ(found("\xFF\xFE\0\0a\0\0\0"s), "UTF-32");
}

TEST(ForeignFormat, Json) {
  const std::string lines =
      "{\"id\": 1, \"text\": \"It was fun\"}\n{\"id\": 2, \"text\": \"Not\"}\n";
  EXPECT_EQ(found(lines), "JSON lines");
  EXPECT_EQ(found(lines.substr(0, 10), false), "JSON lines") << "cut";
  EXPECT_EQ(found(lines.substr(0, 40), false), "JSON lines") << "cut in the second line";
  EXPECT_EQ(found(lines.substr(0, lines.find('\n'))), "JSON lines");
  EXPECT_EQ(found("\n" + lines), "JSON lines");
  EXPECT_EQ(found(lines + lines + "{\"id\": broken\n"), "JSON lines");
  EXPECT_EQ(found("{\"text\": \"caf\xE9\", \"stars\": NaN}\n{\"text\": \"x\", \"stars\": NaN}\n"),
            "JSON lines");
  EXPECT_EQ(found("[\"It was fun\", \"pos\"]\n[\"It was not\", \"neg\"]\n"), "JSON lines");
  EXPECT_EQ(found("[{\"text\": \"It was fun\"}, {\"text\": \"It was not\"}]"), "a JSON array");
  EXPECT_EQ(found("[\n  {\n    \"text\": \"It was fun\"\n  },\n  {\n", false), "a JSON array");
  EXPECT_EQ(found("[\n\"It was fun\",\n\"It was not\"\n]\n"), "a JSON array");
  EXPECT_EQ(found("[{\"text\": \"It was", false), "a JSON array");
  EXPECT_EQ(found("{\n  \"data\": [\n    {\"text\": \"x\"}\n  ]\n}\n"), "JSON");

  const auto filter = [](const std::string& text) { return find_json(text, true)->filter; };
  EXPECT_NE(filter(lines).find("[\"text\"]"), std::string::npos);
  EXPECT_NE(filter("{\"a\": \"x\", \"b\": \"It was fun\"}\n").find("[\"b\"]"), std::string::npos);
  EXPECT_NE(find_json("{\"id\": \"x17\", \"b\": \"It was fun and", false)->filter.find("[\"b\"]"),
            std::string::npos);
  EXPECT_EQ(filter("{\"it's\": \"x\"}\n"), "")
      << "no command where the shell would have to be told";
  EXPECT_EQ(filter("{\"id\": 3}\n"), "");
}

TEST(ForeignFormat, Tables) {
  for (const auto& [text, name] : std::vector<std::pair<std::string, std::string>>{
           {"id,text\n", "CSV with the header 'id,text'"},
           {"text,label\nIt was fun,1\n", "CSV with the header 'text,label'"},
           {"text, label\nIt was fun, pos\n", "CSV with the header 'text,label'"},
           {"label,text\n0,It was, well, long\n1,I came, I saw, I left\n",
            "CSV with the header 'label,text'"},
           {",reviewText,overall_rating\n0,fun,1\n",
            "CSV with the header ',reviewText,overall_rating'"},
           {"text;label\nIt was fun;1\n", "CSV with semicolons with the header 'text,label'"},
           {"text,label\rIt was fun,1\r", "CSV with the header 'text,label'"},
           {"id\tsentiment\treview\r\n1\t0\tfun\r\n", "TSV with the header 'id sentiment review'"},
           {"stars,words\n1,It was long\n5,It was fun\n", "CSV with the header 'stars,words'"},
           {"a,b\n1,It was long\n5,It was fun\n", "CSV of 2 columns"},
           {"0,It was long\n1,It was fun\n", "CSV of 2 columns"},
           {"0,5,It was long\n1,3,\"It was fun, too\"\n", "CSV of 3 columns"},
           {"It was long,neg\nIt was fun,pos\nIt was old,neg\nIt was new,pos\n",
            "CSV of 2 columns"},
           {"\"7\",\"Mon\",\"It was fun\"\n\"8\",\"Tue\",\"It was long\"\n", "CSV of 3 columns"},
           {"\"It was \"\"fun\"\",\nand long\",\"a\"\n\"It was\",\"b\"\n", "CSV of 2 columns"},
           {"0\tIt was long\n1\tIt was fun\n", "TSV of 2 columns"},
           {"It was fun\tas they say\nIt was long\tas I say\nIt was\tso\n", "TSV of 2 columns"},
           {"text\n\"It was fun, too\"\nIt was long\n", "CSV with the header 'text'"},
       }) {
    const auto format = find_table(text, true);
    ASSERT_TRUE(format) << text;
    EXPECT_EQ(format->name, name);
    EXPECT_TRUE(find_table(text + "and a line that is cut", false)) << text;
  }
}

TEST(ForeignFormat, FiltersTakeTheTextsColumn) {
  const auto filter = [](const std::string& text) { return find_table(text, true)->filter; };
  EXPECT_NE(filter("review_id,stars,review_body\n1,2,x\n").find("r[2]"), std::string::npos);
  EXPECT_NE(filter("0,It was long\n1,It was fun\n").find("r[1]"), std::string::npos);
  EXPECT_EQ(filter("text\tlabel\nfun\t1\n"), "awk -F'\\t' 'NR>1{print $1}'");
  EXPECT_EQ(filter("0\tIt was long\n1\tIt was fun\n"), "awk -F'\\t' '{print $2}'");
}

TEST(LooseRecords, QuotesAndEnds) {
  const auto fields = [](const std::string& text, char delimiter, bool whole = true) {
    std::vector<std::vector<std::string>> all;
    for (auto& record : read_loose_records(text, delimiter, whole, 10))
      all.push_back(record.fields);
    return all;
  };
  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(fields("a, b \r\n\r\n\"c,\nd\",e", ','), (Rows{{"a", "b"}, {"c,\nd", "e"}}));
  EXPECT_EQ(fields("\"a\" b,c\n", ','), (Rows{{"\"a\" b", "c"}})) << "a quote that is a character";
  EXPECT_EQ(fields("\"a,b\nc,d\n", ','), (Rows{{"\"a", "b"}, {"c", "d"}})) << "never closed";
  EXPECT_EQ(fields("\"a\tb\nc\td\"\n", '\t'), (Rows{{"\"a", "b"}, {"c", "d\""}}));
  EXPECT_EQ(fields("a,b\nc,d", ',', false), (Rows{{"a", "b"}})) << "the last may be cut";
  EXPECT_EQ(fields("a,b", ',', false), (Rows{{"a", "b"}}));
  EXPECT_EQ(fields("a,b\n\"c,", ',', false), (Rows{{"a", "b"}}));
  EXPECT_EQ(fields("", ','), Rows());
}

}  // namespace
}  // namespace sluice
