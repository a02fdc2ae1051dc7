// The command `sluice-bench`. Exit codes: 0; 1 for failures at run time; 2 for wrong usage.
#include <cstdio>
#include <exception>
#include <regex>

#include "bench/machine.h"
#include "bench/report/figures.h"
#include "bench/report/table.h"
#include "bench/suites/suites.h"
#include "kernels/error.h"

namespace {

using namespace sluice;
using namespace sluice::bench;

std::vector<Case> chosen_cases(const Options& options, DeviceKind device) {
  std::regex filter;
  try {
    filter = std::regex(options.filter);
  } catch (const std::regex_error&) {
    throw Error::usage("--filter: '" + options.filter + "' is no regular expression");
  }
  std::vector<Case> chosen;
  for (const std::string& suite : options.suites.empty() ? suite_names() : options.suites) {
    for (Case& each : cases_of(suite, options, device)) {
      if (std::regex_search(each.name(), filter)) chosen.push_back(std::move(each));
    }
  }
  require(!chosen.empty(), "no case is left of --suite and --filter; see --list");
  return chosen;
}

Report measure(const Options& options) {
  Session session(options);
  const std::vector<Case> cases = chosen_cases(options, session.queue().device);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::fprintf(stderr, "[%zu/%zu] %s\n", i + 1, cases.size(), cases[i].name().c_str());
    cases[i].run(session);
  }
  session.report().context()["clocks"]["after"] = current_clocks(session.queue());
  return session.report();
}

int run(const Options& options) {
  if (options.list) {
    const Device device = Device::open(options.device, options.threads);
    for (const Case& each : chosen_cases(options, device.kind()))
      std::printf("%s\n", each.name().c_str());
    return 0;
  }
  Report report = options.read.empty() ? measure(options) : Report::read(options.read);
  const nlohmann::ordered_json figures = figure_rows(report.summaries());
  if (!figures.empty()) report.context()["figures"] = figures;
  std::fputs(table(report).c_str(), stdout);
  if (!options.out.empty()) report.write_json(options.out);
  if (!options.csv.empty()) report.write_csv(options.csv);
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
    return error.kind() == Error::Kind::usage ? 2 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sluice-bench: unexpected failure: %s\n", error.what());
    return 1;
  }
}
