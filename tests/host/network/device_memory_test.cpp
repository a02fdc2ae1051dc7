#include "host/network/device_memory.h"

#include <gtest/gtest.h>

#include "host/device.h"

namespace sluice {
namespace {

TEST(DeviceMemory, CountsEveryBufferAndKnowsWhereItIs) {
  const Device device = Device::open("cpu", 1);
  DeviceMemory memory;
  Buffer& first = memory.add();
  Buffer& second = memory.add();
  EXPECT_EQ(memory.bytes(), 0u);
  first.reserve(device.queue(), 100);
  for (int i = 0; i < 50; ++i) memory.add();
  second.reserve(device.queue(), 20);
  EXPECT_EQ(memory.bytes(), 120u);

  std::vector<std::int64_t> before, after;
  memory.append_addresses(before);
  EXPECT_EQ(before.size(), 52u);
  EXPECT_EQ(before[0], reinterpret_cast<std::intptr_t>(first.data()));
  std::swap(first, second);  // as an optimiser's average is exchanged with the weights
  memory.append_addresses(after);
  EXPECT_NE(before, after);
}

}  // namespace
}  // namespace sluice
