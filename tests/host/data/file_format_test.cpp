#include "host/data/file_format.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

using enum FileFormat;

TEST(FindFormat, GoesByTheName) {
  for (const TargetKind targets : {TargetKind::row, TargetKind::step, TargetKind::none}) {
    EXPECT_EQ(find_format("a.jsonl", "x O\n", targets), json_lines);
    EXPECT_EQ(find_format("b/a.json.gz", "x O\n", targets), json_lines);
  }
  EXPECT_EQ(find_format("a.csv", "{", TargetKind::row), csv);
  EXPECT_EQ(find_format("a.tab.gz", "{", TargetKind::row), tsv);
  for (const char* name : {"a.conll", "a.bio", "a.iob", "a.iob2", "a.conll.gz", "a.tsv"}) {
    EXPECT_EQ(find_format(name, "{\"tokens\"", TargetKind::step), conll) << name;
    EXPECT_EQ(find_format(name, "{\"tokens\"", TargetKind::none), conll) << name;
  }
  EXPECT_THROW(find_format("a.conll", "x O\n", TargetKind::row), Error);
  EXPECT_THROW(find_format("a.csv", "x O\n", TargetKind::step), Error);
  EXPECT_THROW(find_format("a.conllu.gz", "1\tx\n", TargetKind::step), Error);
}

TEST(FindFormat, OrByTheBeginning) {
  EXPECT_EQ(find_format("a", "{\"text\": 1}\n", TargetKind::row), json_lines);
  EXPECT_EQ(find_format("a", "label\ttext\n", TargetKind::row), tsv);
  EXPECT_EQ(find_format("a", "label,text\n", TargetKind::row), csv);
  EXPECT_EQ(find_format("a.txt", "x\tO\n", TargetKind::step), conll);
  EXPECT_EQ(find_format("a.txt", "\n { \"tokens\": []}\n", TargetKind::step), json_lines);
  EXPECT_EQ(find_format("a.txt", "{ O\n\"x\" O\n", TargetKind::step), conll);
  EXPECT_EQ(find_format("-", "word\n", TargetKind::none), conll);
  EXPECT_THROW(find_format("a.txt", "[{\"tokens\": [\"x\"]}]\n", TargetKind::step), Error);
}

TEST(FormatNames, GoBothWays) {
  for (const FileFormat format : {automatic, csv, tsv, json_lines, folder, conll}) {
    EXPECT_EQ(format_from_name(name_of(format)), format);
  }
  EXPECT_THROW(format_from_name("xml"), Error);
}

}  // namespace
}  // namespace sluice
