// The command `sluice-bench`. Exit codes: 0; 1 for failures at run time, also while something was
// timed; 2 for wrong usage; 3 where a case broke the device's context: what was measured before is
// written, and another process can measure the rest.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "bench/machine.h"
#include "bench/measure/device_state.h"
#include "bench/report/figures.h"
#include "bench/report/table.h"
#include "bench/suites/choice.h"
#include "kernels/base/error.h"

namespace {

using namespace sluice;
using namespace sluice::bench;

constexpr int kFailed = 1, kUsage = 2, kBroken = 3;

void show(Report& report, const Options& options) {
  const nlohmann::ordered_json figures = figure_rows(report.summaries());
  if (!figures.empty()) report.context()["figures"] = figures;
  std::fputs(table(report).c_str(), stdout);
  if (!options.out.empty()) report.write_json(options.out);
  if (!options.csv.empty()) report.write_csv(options.csv);
}

// A run that is ended has lost no finished case; if the disk is full, later ones may yet be
// written.
void keep(const Report& report, const std::string& path) {
  if (path.empty()) return;
  try {
    report.write_json(path);
  } catch (const Error& error) {
    std::fprintf(stderr, "sluice-bench: %s\n", error.what());
  }
}

void run_case(Session& session, const Case& one) {
  try {
    one.run(session);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sluice-bench: %s: %s\n", one.name().c_str(), error.what());
    session.add_failure(one.suite, one.problem, error.what());
  }
}

int measure(const Options& options) {
  const std::vector<Case> cases = chosen_cases(options, wanted_kind(options));
  const std::filesystem::path folder = std::filesystem::path(options.out).parent_path();
  require(folder.empty() || std::filesystem::is_directory(folder),
          "--out: there is no folder " + folder.string() + "; make it first");
  std::vector<Report> before;
  if (options.append && std::filesystem::exists(options.out)) {
    before.push_back(Report::read({options.out}));
  }
  Session session(options);
  const bool cuda = session.queue().device == DeviceKind::cuda;
  if (!before.empty()) session.report().begin_with(before.front(), options.out);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string name = cases[i].name();
    std::fprintf(stderr, "[%zu/%zu] %s\n", i + 1, cases.size(), name.c_str());
    run_case(session, cases[i]);
    const std::string broken = cuda ? why_context_is_broken() : "";
    if (!broken.empty()) {
      std::fprintf(stderr, "sluice-bench: %s broke the device's context: %s; %zu cases are left\n",
                   name.c_str(), broken.c_str(), cases.size() - i - 1);
      show(session.report(), options);
      std::fflush(nullptr);
      std::_Exit(kBroken);  // destructors of what is on the device could wait for it for ever
    }
    keep(session.report(), options.out);
    std::fprintf(stderr, "[%zu/%zu] %s done\n", i + 1, cases.size(), name.c_str());
  }
  session.report().context()["clocks"]["after"] = current_clocks(session.queue());
  show(session.report(), options);
  return session.failures() == 0 ? 0 : kFailed;
}

void list(const Options& options) {
  const Device device = Device::open(options.device, options.threads);
  for (const Case& each : chosen_cases(options, device.kind()))
    std::printf("%s\n", each.name().c_str());
}

int run(const Options& options) {
  if (options.list) {
    list(options);
  } else if (options.read.empty()) {
    return measure(options);
  } else {
    Report report = Report::read(options.read);
    show(report, options);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    int status = 0;
    return parse_options(argc, argv, options, status) ? run(options) : status;
  } catch (const Error& error) {
    std::fprintf(stderr, "sluice-bench: %s\n", error.what());
    return error.kind() == Error::Kind::usage ? kUsage : kFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sluice-bench: unexpected failure: %s\n", error.what());
    return kFailed;
  }
}
