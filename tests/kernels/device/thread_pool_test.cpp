#include "kernels/device/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/base/error.h"
#include "kernels/device/spin_wait.h"

namespace sluice::test {
namespace {

TEST(ThreadPoolTest, RunCallsEveryIndexOnce) {
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
      pool.run(count, [&](std::int64_t i) { ++calls[static_cast<std::size_t>(i)]; });
      for (const auto& n : calls) EXPECT_EQ(n, 1);
    }
  }
}

TEST(ThreadPoolTest, RunRethrowsAndGoesOn) {
  ThreadPool pool(2);
  const auto fail = [](std::int64_t i) {
    if (i == 3) throw std::runtime_error("three");
  };
  EXPECT_THROW(pool.run(8, fail), std::runtime_error);
  std::atomic<int> calls = 0;
  pool.run(8, [&](std::int64_t) { ++calls; });
  EXPECT_EQ(calls, 8);
}

// Each member writes, waits, and reads what the others wrote: it would wait for ever if two members
// were one thread, and read old numbers if the barrier let one through early.
TEST(ThreadPoolTest, TeamMembersMeetAtABarrier) {
  for (const int members : {1, 2, 3}) {
    ThreadPool pool(3);
    SpinBarrier barrier(members);
    std::vector<int> written(static_cast<std::size_t>(members) * 16);
    std::atomic<int> wrong = 0;
    pool.run_team(members, [&](int member) {
      for (int step = 1; step <= 300; ++step) {
        written[static_cast<std::size_t>(member) * 16] = step;
        barrier.wait();
        for (int other = 0; other < members; ++other) {
          if (written[static_cast<std::size_t>(other) * 16] != step) ++wrong;
        }
        barrier.wait();
      }
    });
    EXPECT_EQ(wrong, 0) << members << " members";
  }
}

TEST(ThreadPoolTest, AMemberIsAlwaysTheSameThread) {
  ThreadPool pool(3);
  std::vector<std::set<std::thread::id>> threads(3);
  for (int i = 0; i < 50; ++i) {
    pool.run_team(
        3, [&](int m) { threads[static_cast<std::size_t>(m)].insert(std::this_thread::get_id()); });
  }
  for (const auto& ids : threads) EXPECT_EQ(ids.size(), 1u);
}

// See thread_pool.h: a handler must not run on a worker.
TEST(ThreadPoolTest, WorkersBlockSignals) {
  ThreadPool pool(3);
  std::vector<sigset_t> blocked(3);
  pool.run_team(3, [&](int m) {
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked[static_cast<std::size_t>(m)]);
  });
  int with_usr1_blocked = 0;
  for (const sigset_t& set : blocked) {
    with_usr1_blocked += sigismember(&set, SIGUSR1);
    EXPECT_EQ(sigismember(&set, SIGSEGV), 0);
  }
  EXPECT_EQ(with_usr1_blocked, 2) << "the caller's own thread keeps its mask";
}

TEST(ThreadPoolTest, ATeamIsNoLargerThanThePool) {
  ThreadPool pool(2);
  EXPECT_EQ(pool.available(), 2);
  EXPECT_THROW(pool.run_team(3, [](int) {}), Error);
  pool.run(2, [&](std::int64_t) {  // inside a body there is this thread alone
    EXPECT_EQ(pool.available(), 1);
    EXPECT_THROW(pool.run_team(2, [](int) {}), Error);
    int calls = 0;
    pool.run_team(1, [&](int) { ++calls; });
    EXPECT_EQ(calls, 1);
  });
}

}  // namespace
}  // namespace sluice::test
