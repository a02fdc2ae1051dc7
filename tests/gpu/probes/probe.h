// What the probes share: cases with values, a watchdog, memory, streams and medians. A probe
// measures one thing that the cost model or a design rests on (README.md in this folder); it speaks
// the protocol of tests/gpu/programs/json_lines.h, the numbers in each case's "values".
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device/cuda_check.h"

namespace sluice::probes {

/// What a case found.
struct Finding {
  std::vector<std::pair<std::string, double>> values;  ///< by names with units: us_per_round, ...
  std::string detail, failed, skipped;                 ///< `failed` and `skipped` say why

  void add(const std::string& name, double value) { values.emplace_back(name, value); }
};

struct ProbeCase {
  std::string name;
  std::function<void(Finding&)> run;
};

struct Probe {
  std::string name, purpose;
  std::vector<ProbeCase> cases;
  int seconds = 15;  ///< a case that takes longer ends the process, with exit code 3
};

/// main() returns what this returns.
int run_probe(int argc, char** argv, const Probe& probe);

/// With --small, and always on the imagined GPU: few rounds, blocks and threads, which show no
/// times but that it works.
bool small();
inline int full_or_small(int full, int few) { return small() ? few : full; }

/// Dynamic shared memory of which a multiprocessor has room for one block only: `needed`, or more.
std::size_t shared_bytes_of_a_lone_block(std::size_t needed);

/// How long a kernel may wait for others before it gives up.
unsigned long long patience_in_nanoseconds();

/// Of the current device; 0 where it does not say.
int attribute(cudaDeviceAttr which);

/// The middle one, or of two the lower.
double median(std::vector<double> values);

/// y = latency + x / rate, by least squares.
struct Line {
  double latency = 0.0, rate = 0.0;
};
Line fitted_line(const std::vector<double>& x, const std::vector<double>& y);

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }
  void wait() const { cuda::check(cudaStreamSynchronize(stream_), "waiting for a probe's kernel"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Seconds that `work`, given to `stream`, takes there.
double seconds_of(const Stream& stream, const std::function<void()>& work);

/// Device memory, zero at first.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t bytes);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() const { return memory_; }
  void zero(cudaStream_t stream) const;
  void copy_to_host(void* to, cudaStream_t stream) const;
  void copy_from_host(const void* from, cudaStream_t stream) const;

 private:
  std::size_t bytes_;
  void* memory_ = nullptr;
};

template <class T>
class DeviceArray : public DeviceMemory {
 public:
  explicit DeviceArray(std::size_t count) : DeviceMemory(count * sizeof(T)), count_(count) {}

  T* data() const { return static_cast<T*>(DeviceMemory::data()); }
  std::vector<T> get(cudaStream_t stream) const {
    std::vector<T> values(count_);
    copy_to_host(values.data(), stream);
    return values;
  }
  void put(const std::vector<T>& values, cudaStream_t stream) const {
    copy_from_host(values.data(), stream);
  }

 private:
  std::size_t count_;
};

}  // namespace sluice::probes
