// planted_faults NAME: runs the faulty version of an experiment in one order of threads after the
// other until the fault is caught; prints how and exits 1, or 0 if nothing was noticed.
// planted_faults --sound NAME: the same with the sound version, which must exit 0.
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "cuda_on_cpu/schedule.h"
#include "faults/experiment.h"
#include "kernels/base/error.h"

namespace cuda_on_cpu::faults {

std::vector<Experiment>& experiments() {
  static std::vector<Experiment> all;
  return all;
}

namespace {

/// What was noticed in one order; empty if nothing.
std::string run_once(void (*run)(), const Schedule& schedule) {
  set_schedule(schedule);
  restart_digest();
  try {
    run();
  } catch (const Mismatch& mismatch) {
    return mismatch.what();
  } catch (const sluice::Error& error) {
    return error.what();
  }
  return "";
}

int run_all_orders(void (*run)()) {
  std::optional<std::uint64_t> first_digest;
  for (const Schedule& schedule : all_schedules) {
    std::string noticed = run_once(run, schedule);
    if (noticed.empty()) {
      if (!first_digest) first_digest = digest();
      if (*first_digest != digest()) noticed = "the orders of threads give different bits";
    }
    if (noticed.empty()) continue;
    std::printf("caught in %s order: %s\n", name_of(schedule).c_str(), noticed.c_str());
    return 1;
  }
  std::printf("nothing noticed\n");
  return 0;
}

}  // namespace
}  // namespace cuda_on_cpu::faults

int main(int argc, char** argv) {
  using namespace cuda_on_cpu::faults;
  const bool sound = argc > 1 && std::strcmp(argv[1], "--sound") == 0;
  const char* const name = argc > (sound ? 2 : 1) ? argv[sound ? 2 : 1] : "";
  for (const Experiment& experiment : experiments()) {
    if (std::strcmp(experiment.name, name) == 0) {
      return run_all_orders(sound ? experiment.sound : experiment.faulty);
    }
  }
  std::fprintf(stderr, "usage: planted_faults [--sound] NAME, where NAME is one of\n");
  for (const Experiment& experiment : experiments())
    std::fprintf(stderr, "  %s\n", experiment.name);
  return 2;
}
