#include "host/data/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "host/data/random_sequence.h"
#include "kernels/base/error.h"
#include "tests/host/data/temporary_folder.h"

namespace sluice {
namespace {

std::string contents(const std::string& path) {
  ByteSource source(path);
  std::string all;
  for (std::string_view part = source.read(); !part.empty(); part = source.read()) all += part;
  EXPECT_TRUE(source.read().empty()) << "bytes after the end";
  return all;
}

std::string refusal(const std::string& path) {
  try {
    contents(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return error.what();
  }
  return "accepted";
}

/// Letters without pattern, so that gzip cannot make them small.
std::string noise(std::size_t size) {
  RandomSequence random(7, 0);
  std::string text;
  while (text.size() < size) text += static_cast<char>('!' + random.below(90));
  return text;
}

TEST(ByteSource, ReadsPlainAndCompressedFiles) {
  const TemporaryFolder folder;
  for (const std::size_t size : {0u, 1u, 2u, 3u, 1000u, 65536u, 300'001u}) {
    const std::string text = noise(size);
    EXPECT_EQ(contents(folder.write("plain", text)), text);
    EXPECT_EQ(contents(folder.write_gzip("named-otherwise", text)), text);
  }
}

TEST(ByteSource, ReadsSeveralGzipMembers) {
  const TemporaryFolder folder;
  std::string bytes;
  for (const char* part : {"first ", "", "second"}) {
    std::ifstream member(folder.write_gzip("member", part), std::ios::binary);
    bytes.append(std::istreambuf_iterator<char>(member), {});
  }
  EXPECT_EQ(contents(folder.write("joined.gz", bytes)), "first second");
}

TEST(ByteSource, RefusesDamagedGzip) {
  const TemporaryFolder folder;
  std::ifstream file(folder.write_gzip("whole.gz", noise(100'000)), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  const std::string cut = whole.substr(0, whole.size() / 2);
  EXPECT_NE(refusal(folder.write("cut.gz", cut)).find("ends too early"), std::string::npos);
  EXPECT_NE(refusal(folder.write("cut3.gz", whole.substr(0, 3))).find("ends too early"),
            std::string::npos);
  std::string wrong = whole;
  wrong[whole.size() - 6] ^= 1;  // the checksum
  EXPECT_NE(refusal(folder.write("wrong.gz", wrong)).find("damaged gzip"), std::string::npos);
  EXPECT_NE(refusal(folder.write("more.gz", whole + "more")).find("damaged gzip"),
            std::string::npos);
}

TEST(ByteSource, LeavesOutTheByteOrderMark) {
  const TemporaryFolder folder;
  EXPECT_EQ(contents(folder.write("bom", "\xEF\xBB\xBFtext")), "text");
  EXPECT_EQ(contents(folder.write_gzip("bom.gz", "\xEF\xBB\xBFtext")), "text");
  EXPECT_EQ(contents(folder.write("only", "\xEF\xBB\xBF")), "");
  EXPECT_NE(refusal(folder.write("utf16", std::string("\xFF\xFEt\0", 4))).find("UTF-16"),
            std::string::npos);
}

TEST(ByteSource, RefusesWhatIsNotAFile) {
  const TemporaryFolder folder;
  EXPECT_NE(refusal(folder.path("missing")).find("No such file"), std::string::npos);
  folder.write("inside/file", "");
  EXPECT_NE(refusal(folder.path("inside")).find("folder"), std::string::npos);
}

TEST(ByteSource, PeekTakesNothing) {
  const TemporaryFolder folder;
  ByteSource source(folder.write("file", "text"));
  EXPECT_EQ(source.peek(), "text");
  EXPECT_EQ(source.peek(), "text");
  EXPECT_EQ(source.read(), "text");
  EXPECT_EQ(source.peek(), "");
  EXPECT_EQ(source.read(), "");
}

TEST(LineReader, GivesLinesWithoutTheirEnds) {
  const TemporaryFolder folder;
  LineReader reader(folder.write("lines", "one\ntwo\r\n\nlast"));
  std::string line;
  std::vector<std::string> lines;
  while (reader.next(line)) {
    lines.push_back(line);
    EXPECT_EQ(reader.line_number(), static_cast<std::int64_t>(lines.size()));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "last"}));
  EXPECT_FALSE(reader.next(line));
  EXPECT_FALSE(LineReader(folder.write("empty", "")).next(line));
}

// A line of a pipe is there as soon as it was written, not when the pipe ends.
TEST(LineReader, DoesNotWaitForAFullBuffer) {
  const TemporaryFolder folder;
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int keeps_it_open = ::open(pipe.c_str(), O_RDWR);
  ASSERT_EQ(::write(keeps_it_open, "first\n", 6), 6);
  LineReader reader(pipe);
  std::string line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "first");
  ASSERT_EQ(::write(keeps_it_open, "\xC3\xA9\n", 3), 3);
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line, "\xC3\xA9");
  ::close(keeps_it_open);
  EXPECT_FALSE(reader.next(line));
}

TEST(LineReader, BoundsTheLine) {
  const TemporaryFolder folder;
  const std::string path = folder.write("long", "short\n" + std::string(100'000, 'x') + "\n");
  std::string line;
  LineReader roomy(path, 100'000);
  EXPECT_TRUE(roomy.next(line) && roomy.next(line));
  EXPECT_EQ(line.size(), 100'000u);
  LineReader narrow(path, 99'999);
  ASSERT_TRUE(narrow.next(line));
  try {
    narrow.next(line);
    FAIL() << "read a line past the limit";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(path + ":2:"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sluice
