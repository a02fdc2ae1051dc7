#include "bench/measure/sampling.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "bench/measure/clock.h"

namespace sluice::bench {
namespace {

constexpr double kSlowPass = 2.0;  // seconds
constexpr int kSlowRepetitions = 3;

// OpenMP's threads spin on for some 15 ms after their work (libgomp's default), on the cores that
// the next implementation needs.
constexpr std::chrono::milliseconds kRest{30};

class Implementation {
 public:
  Implementation(const Queue& queue, const Pass& pass)
      : rests_(queue.device == DeviceKind::cpu), clock_(queue), pass_(pass) {}

  Elapsed time(std::int64_t passes) {
    clock_.start();
    for (std::int64_t i = 0; i < passes; ++i) pass_(next_++);
    return clock_.stop();
  }

  // Doubles the passes until they last long enough to tell how many a repetition needs.
  void warm_up(const SamplingOptions& options) {
    rest();
    time(1);
    std::int64_t passes = 1;
    double seconds = time(passes).real;
    while (seconds < options.min_seconds / 4) {
      passes *= 2;
      seconds = time(passes).real;
    }
    seconds_ = seconds / static_cast<double>(passes);
    samples.iterations =
        std::max<std::int64_t>(1, std::llround(std::ceil(options.min_seconds / seconds_)));
  }

  bool slow() const { return seconds_ > kSlowPass; }

  void repeat() {
    rest();
    if (!slow()) time(1);
    const Elapsed elapsed = time(samples.iterations);
    samples.real.push_back(elapsed.real / static_cast<double>(samples.iterations));
    samples.cpu.push_back(elapsed.cpu / static_cast<double>(samples.iterations));
  }

  Samples samples;

 private:
  void rest() const {
    if (rests_) std::this_thread::sleep_for(kRest);
  }

  const bool rests_;
  Clock clock_;
  const Pass& pass_;
  std::uint64_t next_ = 0;
  double seconds_ = 0;  // of a pass
};

}  // namespace

std::vector<Samples> sample(const Queue& queue, const std::vector<Pass>& implementations,
                            const SamplingOptions& options) {
  std::vector<std::unique_ptr<Implementation>> all;
  int repetitions = options.repetitions;
  for (const Pass& pass : implementations) {
    all.push_back(std::make_unique<Implementation>(queue, pass));
    all.back()->warm_up(options);
    if (all.back()->slow()) repetitions = std::min(repetitions, kSlowRepetitions);
  }
  for (int i = 0; i < repetitions; ++i) {
    for (auto& each : all) each->repeat();
  }
  std::vector<Samples> found;
  for (auto& each : all) found.push_back(std::move(each->samples));
  return found;
}

}  // namespace sluice::bench
