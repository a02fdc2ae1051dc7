// Dynamic shared memory beyond CUDA's default: a kernel's limit is raised once, to all that a block
// can have, whatever its launches ask for.
#include "kernels/device/kernel_limits.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "cuda_on_cpu/device.h"
#include "kernels/base/error.h"
#include "kernels/device/launch.h"

namespace sluice::test {
namespace {

constexpr int of_block = 227 * 1024;

/// Another kernel for each number, since limits last as long as the program.
template <int number>
__global__ void touch_shared_memory() {
  SLUICE_DYNAMIC_SHARED(unsigned char, memory);
  memory[threadIdx.x] = number;
}
template <int number>
const void* address() {
  return reinterpret_cast<const void*>(&touch_shared_memory<number>);
}
template <int number>
void run(std::size_t shared_bytes, unsigned cluster = 1) {
  cuda::launch(
      touch_shared_memory<number>,
      {.grid = {cluster}, .block = {1}, .shared_bytes = shared_bytes, .cluster = {cluster}});
}

TEST(KernelLimits, AreRaisedOnceAndNeverLowered) {
  for (const std::size_t bytes : {60 * 1024, 100 * 1024, 50 * 1024, of_block, 49 * 1024})
    run<0>(bytes);
  EXPECT_EQ(cuda_on_cpu::shared_memory_limits(address<0>()), std::vector<int>{of_block});
}

TEST(KernelLimits, LeaveOutWhatTheKernelHasItself) {
  constexpr int own = 1000;
  cuda_on_cpu::declare_static_shared_memory(address<1>(), own);
  run<1>(64 * 1024);
  run<1>(of_block - own);
  EXPECT_EQ(cuda_on_cpu::shared_memory_limits(address<1>()), std::vector<int>{of_block - own});
}

TEST(KernelLimits, AreNotTouchedByLaunchesWithinTheDefault) {
  run<2>(48 * 1024);
  EXPECT_TRUE(cuda_on_cpu::shared_memory_limits(address<2>()).empty());
}

TEST(KernelLimits, AllowLargeClustersBesideLargeMemory) {
  run<3>(16, 16);
  run<3>(64 * 1024, 16);
  run<3>(64 * 1024, 2);
  EXPECT_EQ(cuda_on_cpu::shared_memory_limits(address<3>()), std::vector<int>{of_block});
}

TEST(KernelLimits, AreRaisedOnceByThreadsAtATime) {
  std::vector<std::thread> threads;
  std::vector<std::string> problems(8);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    threads.emplace_back([i, &problems] {
      try {
        for (std::size_t round = 0; round < 50; ++round) {
          cuda::allow_launch(address<4>(), (50 + (i * 7 + round * 3) % 177) * 1024, 1);
        }
      } catch (const Error& error) {
        problems[i] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& problem : problems) EXPECT_EQ(problem, "");
  EXPECT_EQ(cuda_on_cpu::shared_memory_limits(address<4>()), std::vector<int>{of_block});
}

TEST(KernelLimits, WhatADeviceDoesNotHaveIsAnErrorThatSaysHowMuchItHas) {
  cuda_on_cpu::declare_static_shared_memory(address<5>(), 256);
  try {
    run<5>(of_block);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* words :
         {"232448 bytes of dynamic", "gives a block 232448 bytes", "take 256", "stepwise"}) {
      EXPECT_NE(text.find(words), std::string::npos) << words << " in: " << text;
    }
  }
  run<5>(64 * 1024);
  EXPECT_EQ(cuda_on_cpu::shared_memory_limits(address<5>()), std::vector<int>{of_block - 256});
}

}  // namespace
}  // namespace sluice::test
