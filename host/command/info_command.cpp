#include <unicode/uvernum.h>
#include <zlib.h>

#include <oneapi/dnnl/dnnl_version.h>
#include <memory>

#include "host/command/commands.h"
#include "host/command/standard_output.h"
#include "host/command/toml_document.h"
#include "host/json/json.h"
#include "host/version.h"
#include "kernels/base/error.h"
#include "kernels/cudnn/cudnn.h"
#include "kernels/device/device.h"
#include "kernels/device/instruction_set.h"
#include "kernels/device/thread_pool.h"
#include "kernels/time_loops/persistent/persistent.h"

namespace sluice {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

// CUDA's 12040 is 12.4.
std::string cuda_version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

std::string compiler() {
#if defined(__clang__)
  return "clang " + dotted(__clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return "g++ " + dotted(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

std::string build_type() {
#ifdef NDEBUG
  return "release";
#else
  return "debug";
#endif
}

Json libraries(const CudaDevices& cuda) {
  Json found =
      Json::object({{"oneDNN", dotted(DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH)},
                    {"ICU", U_ICU_VERSION},
                    {"zlib", zlibVersion()},
                    {"nlohmann-json", json_library_version()},
                    {"CLI11", command_line_library_version()},
                    {"toml++", toml_library_version()}});
  if (cuda.runtime_version != 0) {
    found["CUDA runtime and cuBLAS"] = cuda_version(cuda.runtime_version);
  }
  return found;
}

// What the persistent kernels go by: clusters that are resident at once, by blocks a cluster.
void add_cluster_limits(Json& device, int ordinal) {
  try {
    const PersistentLimits limits = persistent_limits(ordinal);
    Json clusters = Json::object();
    for (int power = 1; power < 5; ++power)
      clusters[std::to_string(1 << power)] = limits.clusters[power];
    device["cluster_limits"] = clusters;
    device["largest_cluster"] = limits.largest_cluster();
    device["cooperative_launch"] = limits.cooperative;
    device["shared_bytes_per_block"] = limits.shared_bytes;
  } catch (const Error& error) {  // a device that others hold exclusively, say
    device["cluster_limits"] = nullptr;
    device["limits_problem"] = error.what();
  }
}

Json devices(const CudaDevices& cuda, int threads) {
  Json found = Json::array();
  found.push_back(Json::object({{"device", "cpu"}, {"threads", threads}}));
  for (const CudaDevice& device : cuda.devices) {
    Json& one = found.push_back(Json::object(
        {{"device", "cuda:" + std::to_string(device.ordinal)},
         {"name", device.name},
         {"compute_capability", std::to_string(device.major) + "." + std::to_string(device.minor)},
         {"memory_bytes", device.total_bytes},
         {"multiprocessors", device.multiprocessors}}));
    add_cluster_limits(one, device.ordinal);
  }
  return found;
}

Json collect() {
  const CudaDevices cuda = cuda_devices();
  Json info = Json::object({{"version", version},
                            {"build", Json::object({{"type", build_type()},
                                                    {"compiler", compiler()},
                                                    {"cuda", cuda.runtime_version != 0}})},
                            {"devices", devices(cuda, ThreadPool().size())},
                            {"cuda_problem", nullptr},
                            {"cudnn", nullptr},
                            {"libraries", libraries(cuda)},
                            {"instruction_set", name_of(instruction_set())}});
  if (!cuda.problem.empty()) info["cuda_problem"] = cuda.problem;
  const CudnnPresence& cudnn = cudnn_presence();
  if (cudnn.problem.empty()) {
    info["cudnn"] = cudnn_version_text(cudnn.version);
  } else {
    info["cudnn_problem"] = cudnn.problem;
  }
  if (cuda.driver_version != 0) info["cuda_driver"] = cuda_version(cuda.driver_version);
  return info;
}

std::string describe_limits(const Json& device) {
  if (device.contains("limits_problem")) {
    return "limits unknown: " + device.at("limits_problem").get<std::string>();
  }
  std::string line =
      std::to_string(device.at("multiprocessors").get<int>()) + " multiprocessors, " +
      (device.at("cooperative_launch").get<bool>() ? "" : "no ") + "cooperative launch, ";
  const int largest = device.at("largest_cluster").get<int>();
  if (largest == 0) return line + "no clusters of blocks";
  line += "clusters of up to " + std::to_string(largest) + " blocks; resident at once:";
  const char* separator = " ";
  for (const auto& [blocks, clusters] : device.at("cluster_limits").members()) {
    line += separator + std::to_string(clusters.get<int>()) + " of " + blocks;
    separator = ", ";
  }
  return line + " blocks";
}

void write_text(const Json& info) {
  write_line("sluice " + info.at("version").get<std::string>());
  write_line("build: " + info.at("build").at("type").get<std::string>() + ", " +
             info.at("build").at("compiler").get<std::string>() +
             (info.at("build").at("cuda").get<bool>() ? ", with CUDA" : ", without CUDA"));
  write_line("CPU instruction set: " + info.at("instruction_set").get<std::string>());
  write_line("devices:");
  for (const Json& device : info.at("devices").elements()) {
    std::string line = "  " + device.at("device").get<std::string>();
    if (device.contains("name")) {
      line += ": " + device.at("name").get<std::string>() + ", compute capability " +
              device.at("compute_capability").get<std::string>() + ", " +
              std::to_string(device.at("memory_bytes").get<std::size_t>() >> 20) + " MiB";
    } else {
      line += ": " + std::to_string(device.at("threads").get<int>()) + " thread(s)";
    }
    write_line(line);
    if (device.contains("cluster_limits")) write_line("    " + describe_limits(device));
  }
  if (!info.at("cuda_problem").is_null()) {
    write_line("  no CUDA device: " + info.at("cuda_problem").get<std::string>());
  }
  write_line("optional: " + (info.at("cudnn").is_null()
                                 ? "no cuDNN: " + info.at("cudnn_problem").get<std::string>()
                                 : "cuDNN " + info.at("cudnn").get<std::string>()));
  write_line("libraries:");
  for (const auto& [name, number] : info.at("libraries").members()) {
    write_line("  " + name + " " + number.get<std::string>());
  }
}

}  // namespace

std::function<int()> add_info_command(CommandLine& line) {
  const auto json = std::make_shared<bool>(false);
  Subcommand command =
      line.add_subcommand("info", "Version, build, devices, libraries and instruction set in use");
  command.flag("--json", *json, "One JSON object on standard output");
  return [json] {
    const Json info = collect();
    *json ? write_line(info.dump()) : write_text(info);
    return 0;
  };
}

}  // namespace sluice
