// Memory, copies and discovery of devices.
#include "kernels/device/device.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/base/error.h"
#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class Device : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Device);

/// The message with which `action` fails; a failure of the test if it does not.
template <class Action>
std::string failure_of(Error::Kind kind, Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "expected an error";
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_P(Device, CopiesThereBetweenAndBack) {
  std::vector<std::int32_t> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 7);
  const std::size_t bytes = numbers.size() * sizeof(std::int32_t);
  void* const first = allocate(queue(), bytes);
  void* const second = allocate(queue(), bytes);
  upload(queue(), first, numbers.data(), bytes);
  copy(queue(), second, first, bytes);
  fill_zero(queue(), first, bytes / 2);
  std::vector<std::int32_t> half_zero(numbers.size(), -1), copied(numbers.size(), -1);
  download(queue(), half_zero.data(), first, bytes);
  download(queue(), copied.data(), second, bytes);
  synchronize(queue());
  EXPECT_EQ(copied, numbers);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(half_zero[i], i < numbers.size() / 2 ? 0 : numbers[i]) << i;
  }
  release(queue(), first);
  release(queue(), second);
}

TEST_P(Device, AlignsMemoryTo256Bytes) {
  for (const std::size_t bytes : {0, 1, 255, 257, 100000}) {
    void* const memory = allocate(queue(), bytes);
    ASSERT_NE(memory, nullptr) << bytes;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 256, 0u) << bytes;
    release(queue(), memory);
  }
}

TEST_P(Device, NothingToCopyNeedsNoMemory) {
  upload(queue(), nullptr, nullptr, 0);
  download(queue(), nullptr, nullptr, 0);
  copy(queue(), nullptr, nullptr, 0);
  fill_zero(queue(), nullptr, 0);
  release(queue(), nullptr);
  release_pinned(queue(), nullptr);
  EXPECT_NO_THROW(synchronize(queue()));
}

TEST_P(Device, RefusesNullPointers) {
  char byte = 0;
  for (const std::string& message :
       {failure_of(Error::Kind::usage, [&] { upload(queue(), nullptr, &byte, 1); }),
        failure_of(Error::Kind::usage, [&] { download(queue(), &byte, nullptr, 1); }),
        failure_of(Error::Kind::usage, [&] { copy(queue(), nullptr, nullptr, 1); }),
        failure_of(Error::Kind::usage, [&] { fill_zero(queue(), nullptr, 1); })}) {
    EXPECT_TRUE(contains(message, "null pointer")) << message;
  }
}

TEST_P(Device, SaysThatMemoryDoesNotSuffice) {
  const std::size_t too_much = std::size_t{1} << 60;
  const std::string message =
      failure_of(Error::Kind::runtime, [&] { allocate(queue(), too_much); });
  EXPECT_TRUE(contains(message, std::to_string(too_much) + " bytes")) << message;
  EXPECT_TRUE(contains(message, "smaller batch")) << message;
  void* const memory = allocate(queue(), 16);  // the device is still usable
  fill_zero(queue(), memory, 16);
  synchronize(queue());
  release(queue(), memory);
}

TEST_P(Device, PinnedMemoryBelongsToTheHost) {
  auto* const pinned =
      static_cast<std::int32_t*>(allocate_pinned(queue(), 4 * sizeof(std::int32_t)));
  for (std::int32_t i = 0; i < 4; ++i) pinned[i] = i;
  const GuardedBuffer memory(queue(), 4 * sizeof(std::int32_t));
  upload(queue(), memory.data(), pinned, 4 * sizeof(std::int32_t));
  EXPECT_EQ(memory.get<std::int32_t>(), (std::vector<std::int32_t>{0, 1, 2, 3}));
  release_pinned(queue(), pinned);
}

TEST(DeviceDiscovery, FindsDevicesOrSaysWhatIsMissing) {
  const CudaDevices found = cuda_devices();
  EXPECT_EQ(found.devices.empty(), !found.problem.empty()) << found.problem;
  for (const CudaDevice& device : found.devices) {
    EXPECT_FALSE(device.name.empty());
    EXPECT_GE(device.major * 10 + device.minor, 75);
    EXPECT_GT(device.total_bytes, 0u);
    EXPECT_GT(device.multiprocessors, 0);
  }
  if (!found.problem.empty()) {
    bool known = false;
    for (const char* kind :
         {"built without CUDA", "no NVIDIA driver", "driver too old", "no device",
          "the driver fails", "compute capability", "does not answer"}) {
      known |= contains(found.problem, kind);
    }
    EXPECT_TRUE(known) << found.problem;
  }
}

TEST(DeviceDiscovery, RefusesACudaDeviceThatIsNotThere) {
  constexpr int beyond = 1000;
  const std::string message = failure_of(Error::Kind::usage, [&] { create_cuda_queue(beyond); });
  EXPECT_TRUE(contains(message, "CUDA device 1000 cannot be used")) << message;
  const std::string problem = cuda_devices().problem;
  EXPECT_TRUE(problem.empty() ? contains(message, "the usable devices are 0")
                              : contains(message, problem))
      << message;
}

TEST(DeviceDiscovery, DestroyingAnEmptyQueueDoesNothing) {
  Queue queue;
  destroy_cuda_queue(queue);
  EXPECT_EQ(queue.stream, nullptr);
}

}  // namespace
}  // namespace sluice::test
