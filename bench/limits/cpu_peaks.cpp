#include "bench/limits/cpu_peaks.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>

#include "bench/measure/clock.h"
#include "host/buffer.h"
#include "kernels/device/instruction_set.h"
#include "kernels/device/thread_pool.h"

#ifdef SLUICE_X86_64
#include <immintrin.h>
#endif

namespace sluice::bench {
namespace {

constexpr int kChains = 12;  // enough multiply-adds under way to fill two units of latency 4 to 6
constexpr std::int64_t kSteps = 2'000'000;
constexpr double kSeconds = 0.6;  // attempts at each rate; the best counts, whoever else is running

// Each runs kChains * kSteps multiply-adds of a vector and returns how many numbers one holds.
#ifdef SLUICE_X86_64
__attribute__((target("avx512f"))) int multiply_add_avx512(volatile float* sink) {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
  for (std::int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  for (int i = 0; i < kChains; ++i) *sink = *sink + _mm512_cvtss_f32(sums[i]);
  return 16;
}

__attribute__((target("avx2,fma"))) int multiply_add_avx2(volatile float* sink) {
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
  for (std::int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  for (int i = 0; i < kChains; ++i) *sink = *sink + _mm256_cvtss_f32(sums[i]);
  return 8;
}
#endif

int multiply_add_baseline(volatile float* sink) {
  using Vector __attribute__((vector_size(16))) = float;
  Vector sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + static_cast<float>(i);
  for (std::int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * 0.999f + 0.001f;
  }
  for (int i = 0; i < kChains; ++i) *sink = *sink + sums[i][0];
  return 4;
}

int multiply_add(volatile float* sink) {
#ifdef SLUICE_X86_64
  if (instruction_set() == InstructionSet::avx512) return multiply_add_avx512(sink);
  if (instruction_set() == InstructionSet::avx2) return multiply_add_avx2(sink);
#endif
  return multiply_add_baseline(sink);
}

#ifdef SLUICE_X86_64
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
std::uint64_t
sum(const std::uint64_t* numbers, std::size_t count) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < count; ++i) total += numbers[i];
  return total;
}

// body(i) on a thread of its own for each i, each on another processor, so that none shares one.
template <class Body>
void run_apart(int threads, const Body& body) {
  cpu_set_t allowed;
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &allowed)) processors.push_back(i);
    }
  }
  std::vector<std::thread> team;
  for (int i = 0; i < threads; ++i) {
    team.emplace_back([&, i] {
      if (i < static_cast<int>(processors.size())) {
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(processors[i], &own);
        sched_setaffinity(0, sizeof own, &own);
      }
      body(i);
    });
  }
  for (std::thread& each : team) each.join();
}

int team_size(const Queue& queue) { return queue.threads == nullptr ? 1 : queue.threads->size(); }

double measure_flops(const Queue& queue) {
  const int threads = team_size(queue);
  double best = 0;
  for (const double end = monotonic_seconds() + kSeconds; monotonic_seconds() < end;) {
    std::atomic<int> width{0};
    const double start = monotonic_seconds();
    run_apart(threads, [&](int) {
      volatile float sink = 0;
      width = multiply_add(&sink);
    });
    const double seconds = monotonic_seconds() - start;
    best = std::max(best, 2.0 * width * kChains * static_cast<double>(kSteps) * threads / seconds);
  }
  return best;
}

double measure_bandwidth(const Queue& queue, const std::uint64_t* numbers, std::size_t bytes) {
  const auto threads = static_cast<std::size_t>(team_size(queue));
  const std::size_t share = bytes / sizeof(std::uint64_t) / threads;
  const std::size_t rounds = std::max<std::size_t>(1, (std::size_t{64} << 20) / bytes);
  double best = 0;
  for (const double end = monotonic_seconds() + kSeconds / 3; monotonic_seconds() < end;) {
    std::atomic<std::uint64_t> total{0};
    const double start = monotonic_seconds();
    run_apart(static_cast<int>(threads), [&](int i) {
      for (std::size_t round = 0; round < rounds; ++round) {
        total += sum(numbers + static_cast<std::size_t>(i) * share, share);
      }
    });
    const double seconds = monotonic_seconds() - start;
    best = std::max(
        best, static_cast<double>(rounds * share * threads * sizeof(std::uint64_t)) / seconds);
  }
  return best;
}

}  // namespace

double CpuPeaks::bandwidth(std::size_t bytes) const {
  double rate = bandwidths.front().rate;
  for (const Bandwidth& each : bandwidths) {
    if (each.bytes <= bytes) rate = each.rate;
  }
  return rate;
}

double CpuPeaks::seconds(double work, double bytes) const {
  return std::max(work / flops, bytes / bandwidth(static_cast<std::size_t>(bytes)));
}

CpuPeaks measure_cpu_peaks(const Queue& queue, std::size_t cache_bytes) {
  CpuPeaks peaks;
  peaks.flops = measure_flops(queue);
  std::vector<std::size_t> footprints{std::size_t{32} << 10, std::size_t{512} << 10,
                                      std::size_t{8} << 20, std::size_t{64} << 20};
  const std::size_t beyond = cache_bytes + cache_bytes / 4;
  if (beyond > footprints.back()) footprints.push_back(beyond);
  const Buffer memory(queue, footprints.back());
  fill_zero(queue, memory.data(), memory.bytes());
  for (const std::size_t bytes : footprints) {
    peaks.bandwidths.push_back(
        {bytes, measure_bandwidth(queue, memory.as<std::uint64_t>(), bytes)});
  }
  return peaks;
}

}  // namespace sluice::bench
