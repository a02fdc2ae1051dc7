// Signals as requests to a training, which may meet it anywhere.
#include "host/command/signals.h"

#include <gtest/gtest.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/arrays/gemm.h"

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

// A process that has asked for signals, and waits as a training works: until it is let go, then it
// exits with the number of the signal that stopped it.
class Worker {
 public:
  // With `done` it has been stopped by SIGTERM and has dropped its SignalRequests again, as a
  // command does on its way out.
  explicit Worker(bool done = false) {
    int ready[2], go[2];
    if (pipe(ready) != 0 || pipe(go) != 0) throw std::runtime_error("pipe failed");
    process_ = fork();
    if (process_ < 0) throw std::runtime_error("fork failed");
    if (process_ == 0) work(ready[1], go[0], done);
    close(ready[1]);
    std::copy(go, go + 2, go_);
    char byte = 0;
    if (read(ready[0], &byte, 1) != 1) throw std::runtime_error("the worker did not begin");
    close(ready[0]);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (go_[1] >= 0) end();
  }

  void send(int signal) const { kill(process_, signal); }

  // Lets it go. The signal that stopped it, or minus the one that ended it.
  int end() {
    if (write(go_[1], "", 1) != 1) throw std::runtime_error("the worker's pipe is closed");
    return status();
  }
  // The same of one that ends by itself.
  int status() {
    int status = 0;
    close(go_[0]);
    close(std::exchange(go_[1], -1));
    waitpid(process_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  [[noreturn]] static void work(int ready, int go, bool done) {
    alarm(60);  // should the test die
    auto signals = std::make_unique<SignalRequests>();
    TrainingRequests& requests = signals->requests();
    if (done) {
      raise(SIGTERM);
      signals.reset();
    }
    char byte = 0;
    if (write(ready, &byte, 1) != 1) _exit(99);
    while (read(go, &byte, 1) < 0) {
    }
    _exit(requests.stop);
  }

  pid_t process_ = -1;
  int go_[2] = {-1, -1};  // both ends here, so that to write to one that has ended is no error
};

using std::chrono::milliseconds;

TEST(SecondSignal, WithinASecondIsTheSameRequest) {
  std::vector<Worker> workers(18);
  for (const Worker& worker : workers) worker.send(SIGTERM);
  std::size_t at = 0;
  for (const int gap : {0, 1, 10, 40, 50, 100, 100, 250, 350}) {  // to 0.9 s
    std::this_thread::sleep_for(milliseconds(gap));
    for (int i = 0; i < 2; ++i) workers[at++].send(SIGTERM);
  }
  // More than two make no difference.
  for (int i = 0; i < 100; ++i) workers[0].send(SIGTERM);
  for (Worker& worker : workers) EXPECT_EQ(worker.end(), SIGTERM);
}

TEST(SecondSignal, LaterEndsTheProcessAtOnce) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Worker twice, thrice, once, done(true);
    for (const Worker* worker : {&twice, &thrice, &once}) worker->send(signal);
    std::this_thread::sleep_for(milliseconds(300));
    thrice.send(signal);  // the second counts from the first of them
    std::this_thread::sleep_for(milliseconds(1000));
    for (const Worker* worker : {&twice, &thrice}) worker->send(signal);
    EXPECT_EQ(twice.status(), -signal);
    EXPECT_EQ(thrice.status(), -signal);
    EXPECT_EQ(once.end(), signal);
    done.send(SIGTERM);
    EXPECT_EQ(done.status(), -SIGTERM) << "a command that hangs on its way out must be stoppable";
  }
}

TEST(SecondSignal, OfTheOtherKindHasASecondOfItsOwn) {
  Worker mixed, apart, late;
  for (const Worker* worker : {&mixed, &apart, &late}) worker->send(SIGINT);
  for (const int signal : {SIGTERM, SIGINT, SIGTERM}) mixed.send(signal);
  std::this_thread::sleep_for(milliseconds(1300));
  for (const Worker* worker : {&apart, &late}) worker->send(SIGTERM);
  apart.send(SIGTERM);
  late.send(SIGINT);
  EXPECT_EQ(mixed.end(), SIGINT) << "the first gives the exit code";
  EXPECT_EQ(apart.end(), SIGINT);
  EXPECT_EQ(late.status(), -SIGINT);
}

TEST(SecondSignal, DoesNotDisturbACommandThatHasSaved) {
  Worker done(true);
  done.send(SIGTERM);
  done.send(SIGINT);
  EXPECT_EQ(done.end(), SIGTERM);
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
    gemm(queue, {.m = m,
                 .n = n,
                 .k = k,
                 .a = a.data(),
                 .lda = k,
                 .b = b.data(),
                 .ldb = n,
                 .c = c.data(),
                 .ldc = n});
    for (std::int64_t at = 0; at < m * n; ++at) ASSERT_EQ(c[at], expected[at]) << "product " << i;
  }
  EXPECT_TRUE(signals.requests().save) << "no signal came";
}

}  // namespace
}  // namespace sluice
