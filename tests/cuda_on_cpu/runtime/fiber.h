// A call stack of its own that runs until it suspends itself. One OS thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace cuda_on_cpu {

/// The stack grows towards a page that traps, so that an overflow ends the program instead of
/// spoiling a neighbour.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs `entry()` on this stack from its first line; the entry must never return.
  void prepare(void (*entry)());

  /// Runs this fiber until it suspends. Called from the scheduler only.
  void resume();

  /// Back to the scheduler. Called from the running fiber only.
  void suspend();

  /// The same, never to be resumed until prepare() is called again.
  [[noreturn]] void finish();

  /// What the entry calls first.
  static void announce_start();

 private:
  struct Machine;  // saved registers and what the sanitizers want to know
  std::unique_ptr<Machine> machine_;
};

/// Fibers kept for reuse: a kernel of thousands of threads needs only as many as wait at once.
class FiberPool {
 public:
  std::unique_ptr<Fiber> take();
  void give_back(std::unique_ptr<Fiber> fiber);

  /// ThreadSanitizer's own records of the fibers go at a launch's end only, all together: freed
  /// earlier, one would be given to a new thread that inherits the old one's history.
  void end_launch();

 private:
  std::vector<std::unique_ptr<Fiber>> idle_;
};

}  // namespace cuda_on_cpu
