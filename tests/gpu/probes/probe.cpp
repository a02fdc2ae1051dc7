#include "tests/gpu/probes/probe.h"

#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "bench/measure/device_state.h"
#include "tests/gpu/programs/json_lines.h"

namespace sluice::probes {
namespace {

using cuda::check;

#ifdef SLUICE_IMAGINED_GPU
bool is_small = true;
#else
bool is_small = false;
#endif

/// What the watchdog writes: made beforehand, since a signal's handler may allocate nothing.
char last_words[1024];

void give_up(int) {
  if (write(STDOUT_FILENO, last_words, std::strlen(last_words)) < 0) _exit(4);
  _exit(3);  // without destructors, which could wait for the device for ever
}

void watch(const std::string& name, int seconds) {
  std::snprintf(
      last_words, sizeof last_words,
      "{\"case\": %s, \"result\": \"failed\", \"detail\": \"no end within %d s: a kernel "
      "waits for ever, or the device does not answer\", \"broken\": true, \"end\": true}\n",
      test::json_text(name).c_str(), seconds);
  std::signal(SIGALRM, &give_up);
  alarm(static_cast<unsigned>(seconds));
}

test::CaseResult result_of(const ProbeCase& one, int seconds) {
  watch(one.name, seconds);
  Finding finding;
  try {
    one.run(finding);
    check(cudaDeviceSynchronize(), "ending a probe's case");
  } catch (const std::exception& error) {
    finding.failed = error.what();
  }
  alarm(0);
  test::CaseResult result;
  result.kind = !finding.failed.empty()    ? test::CaseResult::failed
                : !finding.skipped.empty() ? test::CaseResult::skipped
                                           : test::CaseResult::passed;
  result.detail = !finding.failed.empty()    ? finding.failed
                  : !finding.skipped.empty() ? finding.skipped
                                             : finding.detail;
  if (!finding.values.empty()) {
    test::JsonFields values;
    for (const auto& [name, value] : finding.values) values.add(name, value);
    result.more.add("values", values);
  }
  return result;
}

std::string why_skipped() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return "";
  return status == cudaSuccess ? "no NVIDIA GPU"
                               : std::string("no NVIDIA GPU: ") + cudaGetErrorString(status);
}

}  // namespace

bool small() { return is_small; }

std::size_t shared_bytes_of_a_lone_block(std::size_t needed) {
  return small() ? needed : std::max(needed, std::size_t{120} * 1024);
}

unsigned long long patience_in_nanoseconds() {
#ifdef SLUICE_IMAGINED_GPU  // its threads take turns, on a machine that may have much else to do
  return 15'000'000'000ull;
#else
  return 2'000'000'000ull;
#endif
}

int attribute(cudaDeviceAttr which) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, 0) == cudaSuccess) return value;
  static_cast<void>(cudaGetLastError());
  return 0;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

Line fitted_line(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mean_x = 0.0, mean_y = 0.0, above = 0.0, below = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) mean_x += x[i] / n, mean_y += y[i] / n;
  for (std::size_t i = 0; i < x.size(); ++i) {
    above += (x[i] - mean_x) * (y[i] - mean_y);
    below += (x[i] - mean_x) * (x[i] - mean_x);
  }
  const double slope = below > 0.0 ? above / below : 0.0;
  return {mean_y - slope * mean_x, slope != 0.0 ? 1.0 / slope : 0.0};
}

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
}
Stream::~Stream() { static_cast<void>(cudaStreamDestroy(stream_)); }

Event::Event() { check(cudaEventCreate(&event_), "creating an event"); }
Event::~Event() { static_cast<void>(cudaEventDestroy(event_)); }

double seconds_of(const Stream& stream, const std::function<void()>& work) {
  const Event begin, end;
  check(cudaEventRecord(begin, stream), "recording an event");
  work();
  check(cudaEventRecord(end, stream), "recording an event");
  stream.wait();
  float milliseconds = 0.0f;
  check(cudaEventElapsedTime(&milliseconds, begin, end), "reading the time between two events");
  return milliseconds * 1e-3;
}

DeviceMemory::DeviceMemory(std::size_t bytes) : bytes_(bytes) {
  check(cudaMalloc(&memory_, bytes), "allocating a probe's memory");
  check(cudaMemsetAsync(memory_, 0, bytes, nullptr), "zeroing a probe's memory");
  check(cudaStreamSynchronize(nullptr), "zeroing a probe's memory");
}
DeviceMemory::~DeviceMemory() { static_cast<void>(cudaFree(memory_)); }

void DeviceMemory::zero(cudaStream_t stream) const {
  check(cudaMemsetAsync(memory_, 0, bytes_, stream), "zeroing a probe's memory");
}
void DeviceMemory::copy_to_host(void* to, cudaStream_t stream) const {
  check(cudaMemcpyAsync(to, memory_, bytes_, cudaMemcpyDeviceToHost, stream),
        "copying from the device");
  check(cudaStreamSynchronize(stream), "copying from the device");
}
void DeviceMemory::copy_from_host(const void* from, cudaStream_t stream) const {
  check(cudaMemcpyAsync(memory_, from, bytes_, cudaMemcpyHostToDevice, stream),
        "copying to the device");
  check(cudaStreamSynchronize(stream), "copying to the device");
}

int run_probe(int argc, char** argv, const Probe& probe) {
  test::LineProgram program;
  program.name = "gpu_probe_" + probe.name;
  program.purpose = probe.purpose;
  program.options = {{"--small", "", "few rounds, blocks and threads: no times to believe",
                      [](const std::string&) { is_small = true; }}};
  program.cases = [&] {
    std::vector<test::LineCase> cases;
    for (const ProbeCase& one : probe.cases) {
      cases.push_back(
          {one.name, [&one, &probe](test::JsonLines&) { return result_of(one, probe.seconds); }});
    }
    return cases;
  };
  program.why_skipped = &why_skipped;
  program.why_broken = [&] {
    watch("the device after the last case", probe.seconds);
    std::string why = bench::why_context_is_broken();
    alarm(0);
    return why;
  };
  return test::run_line_program(argc, argv, program);
}

}  // namespace sluice::probes
