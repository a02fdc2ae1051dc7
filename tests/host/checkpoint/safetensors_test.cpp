#include "host/checkpoint/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "kernels/base/error.h"

namespace sluice {
namespace {

std::string framed(std::string header, const std::string& data) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string size(8, '\0');
  const std::uint64_t count = header.size();
  std::memcpy(size.data(), &count, 8);
  return size + header + data;
}

std::string tensor(const std::string& type, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

std::string one_tensor(const std::string& type, const std::string& shape,
                       const std::string& offsets, std::size_t data_bytes) {
  return framed(R"({"a":)" + tensor(type, shape, offsets) + "}", std::string(data_bytes, 'x'));
}

// The message of the refusal, or "" if the bytes were accepted.
std::string refusal(const std::string& bytes) {
  try {
    const SafetensorsFile file(bytes, "bytes");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::runtime);
    return error.what();
  }
}

void expect_refused(const std::string& bytes, const std::string& because) {
  const std::string message = refusal(bytes);
  EXPECT_NE(message.find(because), std::string::npos) << "got: " << message;
}

class TemporaryFile {
 public:
  TemporaryFile() {
    path = std::filesystem::temp_directory_path() /
           ("sluice-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
            std::to_string(::getpid()));
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Safetensors, KeepsTensorsAndMetadata) {
  const TemporaryFile file;
  const float weights[] = {1.5f,          -2.0f, std::numeric_limits<float>::infinity(),
                           std::nanf(""), 0,     6};
  const double scalar = 0.1;
  write_safetensors(
      file.path,
      {{"w", "F32", {2, 3}, weights}, {"s", "F64", {}, &scalar}, {"e", "I32", {0, 7}, nullptr}},
      {{"note", "quote \" and \xC3\xA9"}});
  const SafetensorsFile read_back(file.path);
  read_back.verify_checksum();
  EXPECT_EQ(read_back.metadata("note"), "quote \" and \xC3\xA9");
  const auto w = read_back.tensor("w", "F32", {2, 3});
  EXPECT_EQ(0, std::memcmp(w.bytes.data(), weights, sizeof weights));
  const auto s = read_back.tensor("s", "F64", {});
  EXPECT_EQ(0, std::memcmp(s.bytes.data(), &scalar, sizeof scalar));
  EXPECT_TRUE(read_back.tensor("e", "I32", {0, 7}).bytes.empty());
  EXPECT_THROW(read_back.tensor("w", "F32", {3, 2}), Error);
  EXPECT_THROW(read_back.tensor("w", "I32", {2, 3}), Error);
  EXPECT_THROW(read_back.tensor("x"), Error);
  EXPECT_THROW(read_back.metadata("x"), Error);
}

TEST(Safetensors, WritesTheLayoutOfTheFormat) {
  const TemporaryFile file;
  const std::int32_t numbers[] = {1, 2};
  write_safetensors(file.path, {{"n", "I32", {2}, numbers}}, {});
  const std::string bytes = read(file.path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  EXPECT_EQ(header % 8, 0u);
  EXPECT_EQ(bytes[8], '{');
  EXPECT_EQ(bytes.size(), 8 + header + 8);
  EXPECT_EQ(0, std::memcmp(bytes.data() + 8 + header, numbers, 8));
  write_safetensors(file.path, {{"n", "I32", {2}, numbers}}, {});
  EXPECT_EQ(bytes, read(file.path)) << "the same input must give the same bytes";
}

TEST(Safetensors, WriterRefusesNamesGivenTwiceAndUnknownTypes) {
  const TemporaryFile file;
  const float x = 1;
  EXPECT_THROW(write_safetensors(file.path, {{"a", "F32", {}, &x}, {"a", "F32", {}, &x}}, {}),
               Error);
  EXPECT_THROW(write_safetensors(file.path, {{"a", "float", {}, &x}}, {}), Error);
  EXPECT_THROW(write_safetensors(file.path, {{"a", "F32", {-1}, &x}}, {}), Error);
  EXPECT_FALSE(std::filesystem::exists(file.path));
}

TEST(Safetensors, ChecksumFindsAnyChangedByte) {
  const TemporaryFile file;
  const float weights[] = {1, 2, 3};
  write_safetensors(file.path, {{"w", "F32", {3}, weights}}, {{"epoch", "3"}});
  const std::string good = read(file.path);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    EXPECT_THROW(
        {
          const SafetensorsFile changed(bad, "changed");
          changed.verify_checksum();
        },
        Error)
        << "byte " << i;
  }
}

TEST(Safetensors, FilesOfOthersAreReadButCarryNoChecksum) {
  const SafetensorsFile file(one_tensor("F32", "[2]", "[0,8]", 8), "bytes");
  EXPECT_EQ(file.tensor("a").bytes, "xxxxxxxx");
  EXPECT_THROW(file.verify_checksum(), Error);
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string good = one_tensor("F32", "[2]", "[0,8]", 8);
  ASSERT_EQ(refusal(good), "");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(refusal(good.substr(0, size)), "") << "cut to " << size;
  }
  expect_refused(good + "y", "something appended");
}

TEST(Safetensors, RefusesHeaderSizesOutsideTheFile) {
  expect_refused("abc", "only 3 bytes");
  expect_refused(std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "claims a header");
  expect_refused(std::string("\x00\xe1\xf5\x05\x00\x00\x00\x00{}", 10), "past the file's end");
  expect_refused(std::string("\x01\xe1\xf5\x05\x00\x00\x00\x00{}", 10), "claims a header");
}

TEST(Safetensors, RefusesShapesWhoseProductWraps) {
  // 2^33 * 2^33 * 4 bytes = 2^68, which is 0 modulo 2^64: "fits" in no bytes at all.
  expect_refused(one_tensor("F32", "[8589934592,8589934592]", "[0,0]", 0), "overflows");
  expect_refused(one_tensor("U8", "[18446744073709551615]", "[0,0]", 0), "too large");
  expect_refused(one_tensor("F32", "[4611686018427387904]", "[0,0]", 0), "overflows");
}

TEST(Safetensors, RefusesNegativeAndBrokenNumbers) {
  expect_refused(one_tensor("F32", "[-1]", "[0,0]", 0), "something else than sizes");
  expect_refused(one_tensor("F32", "[1.0]", "[0,4]", 4), "something else than sizes");
  expect_refused(one_tensor("F32", "[1]", "[-4,0]", 4), "something else than sizes");
  expect_refused(one_tensor("F32", "[1]", "[0]", 4), "must be [begin, end]");
  expect_refused(one_tensor("F32", "4", "[0,4]", 4), "not an array");
}

TEST(Safetensors, RefusesOffsetsThatDisagreeWithShapeOrFile) {
  expect_refused(one_tensor("F32", "[2]", "[0,4]", 4), "its shape needs 8 bytes");
  expect_refused(one_tensor("F32", "[1]", "[0,8]", 8), "its shape needs 4 bytes");
  expect_refused(one_tensor("F32", "[2]", "[0,8]", 4), "leave the file's");
  expect_refused(one_tensor("F32", "[1]", "[8,4]", 8), "leave the file's");
  expect_refused(one_tensor("F32", "[1]", "[4,8]", 8), "not where the one before ends");
  expect_refused(framed(R"({"a":)" + tensor("F32", "[1]", "[0,4]") + R"(,"b":)" +
                            tensor("F32", "[1]", "[0,4]") + "}",
                        "1234"),
                 "not where the one before ends");
  expect_refused(framed(R"({"a":)" + tensor("F32", "[1]", "[0,4]") + R"(,"b":)" +
                            tensor("F32", "[1]", "[8,12]") + "}",
                        "123412341234"),
                 "not where the one before ends");
}

TEST(Safetensors, RefusesUnknownTypesAndMissingFields) {
  expect_refused(one_tensor("F33", "[1]", "[0,4]", 4), "unknown dtype 'F33'");
  expect_refused(one_tensor("", "[1000000]", "[0,4]", 4), "unknown dtype");
  expect_refused(framed(R"({"a":{"dtype":"F32","shape":[1]}})", ""),
                 "dtype, shape and data_offsets");
  expect_refused(framed(R"({"a":[1]})", ""), "dtype, shape and data_offsets");
  expect_refused(one_tensor("F4", "[3]", "[0,1]", 1), "overflows");  // 12 bits are no whole bytes
}

TEST(Safetensors, RefusesBrokenJson) {
  expect_refused(framed("[]", ""), "does not begin with '{'");
  expect_refused(framed(" {}", ""), "does not begin with '{'");
  expect_refused(framed("{", ""), "not valid JSON");
  expect_refused(framed("{}}", ""), "not valid JSON");
  expect_refused(framed("{\"a\xff\":1}", ""), "not valid JSON");
  const std::string entry = tensor("F32", "[1]", "[0,4]");
  expect_refused(framed(R"({"a":)" + entry + R"(,"a":)" + entry + "}", "1234"), "'a' twice");
  expect_refused(framed(R"({"__metadata__":{"k":"1","k":"2"}})", ""), "'k' twice");
  expect_refused(framed(R"({"__metadata__":{"k":1}})", ""), "not a string");
  expect_refused(framed(R"({"__metadata__":[]})", ""), "not an object");
}

TEST(Safetensors, RefusesDeepNestingWithoutRecursingIntoIt) {
  expect_refused(framed(R"({"a":)" + std::string(5'000'000, '['), ""), "nested too deeply");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  expect_refused(framed(objects, ""), "nested too deeply");
}

TEST(Safetensors, SaysWhichFileIsMissing) {
  try {
    const SafetensorsFile file(std::filesystem::path("/nowhere/model.safetensors"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find("/nowhere/model.safetensors"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice
