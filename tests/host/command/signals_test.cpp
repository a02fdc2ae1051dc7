// Signals as requests to a training, which may meet it anywhere.
#include "host/command/signals.h"

#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <vector>

#include "kernels/gemm.h"

namespace sluice {
namespace {

TEST(SignalRequests, AreKeptForTheTraining) {
  SignalRequests signals;
  EXPECT_EQ(signals.requests().stop, 0);
  kill(getpid(), SIGUSR1);
  EXPECT_TRUE(signals.requests().save);
  kill(getpid(), SIGTERM);
  EXPECT_EQ(signals.requests().stop, SIGTERM);
}

// A timer's signal, ten thousand a second, for some of the time of this scope.
class Storm {
 public:
  Storm() {
    struct sigaction action = {};
    sigaction(SIGUSR1, nullptr, &action);  // as the training handles it
    sigaction(SIGALRM, &action, &before_);
    const itimerval often = {{0, 100}, {0, 100}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~Storm() {
    const itimerval never = {};
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  struct sigaction before_ = {};
};

TEST(SignalRequests, DoNotDisturbProducts) {
  SignalRequests signals;
  ThreadPool threads(2);
  Queue queue;
  queue.threads = &threads;
  constexpr std::int64_t k = 96, n = 16, rows = 80;
  std::vector<float> a(rows * k), b(n * k), c(rows * n), expected(rows * n, 0.0f);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % 17) - 8.0f;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i % 13) - 6.0f;
  for (std::int64_t i = 0; i < rows * n; ++i) {
    for (std::int64_t j = 0; j < k; ++j) expected[i] += a[i / n * k + j] * b[j * n + i % n];
  }
  const Storm storm;
  for (int i = 0; i < 10000; ++i) {
    const std::int64_t m = 8 + i * 7 % 72;
    gemm(queue, {.m = m, .n = n, .k = k, .a = a.data(), .lda = k, .b = b.data(), .ldb = n,
                 .c = c.data(), .ldc = n});
    for (std::int64_t at = 0; at < m * n; ++at) ASSERT_EQ(c[at], expected[at]) << "product " << i;
  }
  EXPECT_TRUE(signals.requests().save) << "no signal came";
}

}  // namespace
}  // namespace sluice
