#include "bench/measure/sampling.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "bench/measure/clock.h"
#include "bench/measure/device_state.h"

namespace sluice::bench {
namespace {

constexpr double kSlowPass = 2.0;  // seconds
constexpr int kSlowRepetitions = 3;

// A graph holds passes for so long, but no more than so many: on different inputs, and without a
// launch of its own for each short one.
constexpr double kGraphSeconds = 5e-3;
constexpr double kMostInGraph = 16;

// OpenMP's threads spin on for some 15 ms after their work (libgomp's default), on the cores that
// the next implementation needs.
constexpr std::chrono::milliseconds kRest{30};

class Implementation {
 public:
  Implementation(const Queue& queue, const Pass& pass)
      : rests_(queue.device == DeviceKind::cpu), queue_(queue), clock_(queue), pass_(pass) {}

  // `passes`: of recorded ones, a multiple of their count.
  Elapsed time(std::int64_t passes) {
    clock_.start();
    if (recorded_ != nullptr) {
      for (std::int64_t i = 0; i < passes; i += recorded_->count()) recorded_->launch();
    } else {
      for (std::int64_t i = 0; i < passes; ++i) pass_(next_++);
    }
    return clock_.stop();
  }

  void warm_up(const SamplingOptions& options) {
    estimate(options);
    if (options.graphs) record();
    if (recorded_ != nullptr) estimate(options);
    const std::int64_t step = least_passes();
    const auto wanted = static_cast<std::int64_t>(std::ceil(options.min_seconds / seconds_));
    samples.iterations = std::max<std::int64_t>(1, (wanted + step - 1) / step) * step;
    samples.graph = recorded_ != nullptr;
  }

  bool slow() const { return seconds_ > kSlowPass; }

  void repeat() {
    rest();
    if (!slow()) time(least_passes());
    const Elapsed elapsed = time(samples.iterations);
    samples.real.push_back(elapsed.real / static_cast<double>(samples.iterations));
    samples.cpu.push_back(elapsed.cpu / static_cast<double>(samples.iterations));
  }

  Samples samples;

 private:
  std::int64_t least_passes() const { return recorded_ == nullptr ? 1 : recorded_->count(); }

  // Doubles the passes until they last long enough to tell what one takes.
  void estimate(const SamplingOptions& options) {
    rest();
    time(least_passes());
    std::int64_t passes = least_passes();
    double seconds = time(passes).real;
    while (seconds < options.min_seconds / 4) {
      passes *= 2;
      seconds = time(passes).real;
    }
    seconds_ = seconds / static_cast<double>(passes);
  }

  void record() {
    const double count = std::clamp(kGraphSeconds / std::max(seconds_, 1e-9), 1.0, kMostInGraph);
    auto recorded =
        std::make_unique<RecordedPasses>(queue_, pass_, next_, static_cast<std::int64_t>(count));
    if (recorded->ready()) recorded_ = std::move(recorded);
  }

  void rest() const {
    if (rests_) std::this_thread::sleep_for(kRest);
  }

  const bool rests_;
  const Queue& queue_;
  Clock clock_;
  const Pass& pass_;
  std::unique_ptr<RecordedPasses> recorded_;
  std::uint64_t next_ = 0;
  double seconds_ = 0;  // of a pass
};

// All implementations of one thing, of which those that threw take no further part.
class Turns {
 public:
  Turns(const Queue& queue, const std::vector<Pass>& passes) : queue_(queue) {
    for (const Pass& pass : passes) all_.push_back(std::make_unique<Implementation>(queue, pass));
  }

  // use(implementation) for each that is still well, in turn.
  template <class Use>
  void each(const Use& use) {
    for (auto& one : all_) {
      if (!one->samples.error.empty()) continue;
      try {
        use(*one);
      } catch (const std::exception& error) {
        leave_out(*one, error.what());
      }
    }
  }

  std::vector<Samples> take() {
    std::vector<Samples> found;
    for (auto& one : all_) found.push_back(std::move(one->samples));
    return found;
  }

 private:
  void leave_out(Implementation& failed, const std::string& what) {
    failed.samples = {};
    failed.samples.error = what.empty() ? "it threw an exception without a message" : what;
    if (queue_.device == DeviceKind::cpu) return;
    const std::string broken = why_context_is_broken();  // waits for what it had enqueued
    if (broken.empty()) return;
    for (auto& one : all_) {
      if (one->samples.error.empty()) {
        one->samples.error = "another implementation broke the device's context: " + broken;
      }
    }
  }

  const Queue& queue_;
  std::vector<std::unique_ptr<Implementation>> all_;
};

}  // namespace

std::vector<Samples> sample(const Queue& queue, const std::vector<Pass>& implementations,
                            const SamplingOptions& options) {
  Turns turns(queue, implementations);
  int repetitions = options.repetitions;
  turns.each([&](Implementation& one) {
    one.warm_up(options);
    if (one.slow()) repetitions = std::min(repetitions, kSlowRepetitions);
  });
  for (int i = 0; i < repetitions; ++i) {
    turns.each([](Implementation& one) { one.repeat(); });
  }
  return turns.take();
}

}  // namespace sluice::bench
