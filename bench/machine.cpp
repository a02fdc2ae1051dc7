#include "bench/machine.h"

#include <unistd.h>

#include <oneapi/dnnl/dnnl_version.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "host/version.h"
#include "kernels/device/device.h"
#include "kernels/device/instruction_set.h"

#ifdef SLUICE_WITH_CUDA
#include <cuda_runtime_api.h>
#endif

namespace sluice::bench {
namespace {

using nlohmann::ordered_json;

// The values of every line "key : value" of /proc/cpuinfo.
std::vector<std::string> cpuinfo(const std::string& key) {
  std::vector<std::string> values;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.rfind(key, 0) == 0 && colon != std::string::npos)
      values.push_back(line.substr(colon + 2));
  }
  return values;
}

double cpu_mhz() {
  double highest = 0;
  for (const std::string& value : cpuinfo("cpu MHz"))
    highest = std::max(highest, std::atof(value.c_str()));
  return highest;
}

bool scaling_enabled() {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  std::string governor;
  return file >> governor && governor != "performance";
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::array<char, 64> text{};
  std::tm local{};
  localtime_r(&seconds, &local);
  std::strftime(text.data(), text.size(), "%FT%T%z", &local);
  std::string date = text.data();
  return date.insert(date.size() - 2, ":");  // +00:00, as Google Benchmark writes it
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

ordered_json caches() {
  struct Level {
    const char* type;
    int level, name;
  };
  ordered_json found = ordered_json::array();
  for (const Level& each :
       {Level{"Data", 1, _SC_LEVEL1_DCACHE_SIZE}, Level{"Instruction", 1, _SC_LEVEL1_ICACHE_SIZE},
        Level{"Unified", 2, _SC_LEVEL2_CACHE_SIZE}, Level{"Unified", 3, _SC_LEVEL3_CACHE_SIZE}}) {
    const long size = sysconf(each.name);
    if (size > 0)
      found.push_back(
          {{"type", each.type}, {"level", each.level}, {"size", size}, {"num_sharing", 0}});
  }
  return found;
}

ordered_json load_average() {
  std::array<double, 3> load{};
  ordered_json found = ordered_json::array();
  if (getloadavg(load.data(), 3) == 3) found = load;
  return found;
}

// First line of what a command prints; empty if it fails.
std::string first_line(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  std::array<char, 512> line{};
  if (pipe == nullptr || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "";
  std::string text = line.data();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string dotted(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

}  // namespace

std::size_t last_cache_bytes(const Queue& queue, const Options& options) {
  if (options.cache_mib >= 0) return static_cast<std::size_t>(options.cache_mib) << 20;
#ifdef SLUICE_WITH_CUDA
  if (queue.device == DeviceKind::cuda) {
    int bytes = 0;
    const bool known =
        cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, queue.ordinal) == cudaSuccess;
    return known ? static_cast<std::size_t>(bytes) : 0;
  }
#endif
  static_cast<void>(queue);
  const long third = sysconf(_SC_LEVEL3_CACHE_SIZE), second = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return static_cast<std::size_t>(std::max({third, second, 0L}));
}

ordered_json current_clocks(const Queue& queue) {
  if (queue.device == DeviceKind::cpu) return {{"cpu_mhz", cpu_mhz()}};
  const std::string fields =
      "clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,temperature.gpu,power.draw,power.limit";
  const std::string command = "nvidia-smi --id=" + std::to_string(queue.ordinal) +
                              " --query-gpu=" + fields + " --format=csv,noheader 2>/dev/null";
  return {{"nvidia_smi", fields}, {"values", first_line(command.c_str())}};
}

ordered_json describe_machine(const Device& device, const Options& options) {
  const Queue& queue = device.queue();
  const std::vector<std::string> names = cpuinfo("model name");
  const std::string cpu = names.empty() ? "unknown" : names.front();
  const CudaDevices cuda = cuda_devices();
  std::string machine = options.machine;
  if (machine.empty()) machine = queue.device == DeviceKind::cuda ? device.description() : cpu;
  ordered_json context = {
      {"date", now()},
      {"host_name", options.machine.empty() ? host_name() : options.machine},
      {"executable", "sluice-bench"},
      {"num_cpus", std::thread::hardware_concurrency()},
      {"mhz_per_cpu", static_cast<int>(cpu_mhz())},
      {"cpu_scaling_enabled", scaling_enabled()},
      {"caches", caches()},
      {"load_avg", load_average()},
#ifdef NDEBUG
      {"library_build_type", "release"},
#else
      {"library_build_type", "debug"},
#endif
      {"machine", machine},
      {"device", device.name()},
      {"device_description", device.description()},
      {"cpu", cpu},
      {"threads", queue.threads == nullptr ? 1 : queue.threads->size()},
      {"instruction_set", name_of(instruction_set())},
      {"compiler", "g++/clang " __VERSION__},
      {"sluice_version", version},
      {"onednn_version", std::to_string(DNNL_VERSION_MAJOR) + "." +
                             std::to_string(DNNL_VERSION_MINOR) + "." +
                             std::to_string(DNNL_VERSION_PATCH)},
      {"cuda_runtime", cuda.runtime_version == 0 ? "none" : dotted(cuda.runtime_version)},
      {"cuda_driver", cuda.driver_version == 0 ? "none" : dotted(cuda.driver_version)},
      {"tf32", options.math == MatrixMath::tf32 ? "on, as asked" : "off"},
      {"dtype", name_of(options.data_type)},
      {"small", options.small},
      {"min_time", options.sampling.min_seconds},
      {"repeat", options.sampling.repetitions},
      {"inputs_rotated_over_bytes_more_than", last_cache_bytes(queue, options)},
      {"clocks", {{"before", current_clocks(queue)}}}};
  return context;
}

}  // namespace sluice::bench
