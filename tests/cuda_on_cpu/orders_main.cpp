// Runs every test once in each order of threads, and compares what the runs copied from the
// device: a difference is a race, even where the values are within a test's tolerance.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <string>

#include "cuda_on_cpu/schedule.h"

namespace {

using cuda_on_cpu::all_schedules;

class CompareOrders : public testing::EmptyTestEventListener {
 public:
  bool failed() const { return differences_ > 0 || tests_ == 0; }

 private:
  void OnTestIterationStart(const testing::UnitTest&, int iteration) override {
    schedule_ = all_schedules[iteration];
    std::printf("Threads run in %s order\n", name_of(schedule_).c_str());
  }

  void OnTestStart(const testing::TestInfo&) override {
    cuda_on_cpu::set_schedule(schedule_);
    cuda_on_cpu::restart_digest();
  }

  void OnTestEnd(const testing::TestInfo& info) override {
    if (info.result()->Skipped()) return;
    ++tests_;
    const std::string name = std::string(info.test_suite_name()) + "." + info.name();
    const auto [first, inserted] = digests_.emplace(name, cuda_on_cpu::digest());
    if (first->second == cuda_on_cpu::digest()) return;
    ++differences_;
    std::printf("[  FAILED  ] %s: %s order gives other bits than %s order\n", name.c_str(),
                name_of(schedule_).c_str(), name_of(all_schedules[0]).c_str());
  }

  void OnTestProgramEnd(const testing::UnitTest&) override {
    if (tests_ == 0) std::printf("[  FAILED  ] no test ran\n");
  }

  cuda_on_cpu::Schedule schedule_;
  std::map<std::string, std::uint64_t> digests_;
  int tests_ = 0, differences_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  const char* const orders = std::getenv("CUDA_ON_CPU_ORDERS");  // fewer of them, for slow tests
  GTEST_FLAG_SET(
      repeat, orders != nullptr ? std::atoi(orders) : static_cast<int>(std::size(all_schedules)));
  auto* const compare = new CompareOrders;  // GoogleTest owns it
  testing::UnitTest::GetInstance()->listeners().Append(compare);
  const int status = RUN_ALL_TESTS();
  return status != 0 || compare->failed() ? 1 : 0;
}
