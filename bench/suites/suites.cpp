#include "bench/suites/suites.h"

#include "bench/suites/shape.h"
#include "kernels/base/error.h"

namespace sluice::bench {

const std::vector<std::string>& suite_names() {
  static const std::vector<std::string> names{"deepbench-train", "deepbench-infer", "imdb",
                                              "features",        "kernels",         "scaling",
                                              "memory",          "figures"};
  return names;
}

std::vector<Case> cases_of(const std::string& suite, const Options& options, DeviceKind device) {
  if (suite == "deepbench-train") return deepbench_cases(options, true);
  if (suite == "deepbench-infer") return deepbench_cases(options, false);
  if (suite == "imdb") return imdb_cases(options);
  if (suite == "features") return feature_cases(options);
  if (suite == "kernels") return kernel_cases(options, device);
  if (suite == "scaling") return scaling_cases(options);
  if (suite == "memory") return memory_cases(options);
  if (suite == "figures") return figure_cases(options, device);
  if (suite == kShapeSuite) return shape_cases(options);
  throw Error::usage("no suite is called '" + suite + "'; there are " + joined(suite_names()));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace sluice::bench
