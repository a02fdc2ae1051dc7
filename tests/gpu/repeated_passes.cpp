// The same passes again and again on a GPU: every output must have the same bits each time. Prints a
// JSON object a line: {"case", "result", "detail"}. repeated_passes [TIMES=20] [--few]
// Exit codes: 0 the same bits; 1 others; 77 skipped, with the reason.
#include <cstdlib>
#include <cstring>

#include "tests/gpu/cases.h"

namespace {

using namespace sluice;
using namespace sluice::test;

template <class Number>
void repeat(const LayerCase& one, Algorithm algorithm, int times, JsonLines& lines) {
  const std::string case_name = one.name + "/" + name_of(algorithm);
  test::RecurrentPass<Number> pass(one.config, {DeviceKind::cuda, algorithm}, SequenceLayout(one.lengths));
  fill_case(pass);
  Outputs first;
  for (int i = 0; i < times; ++i) {
    pass.forward();
    pass.backward();
    if (i == 0) {
      first = outputs(pass);
      continue;
    }
    const Outputs now = outputs(pass);
    for (std::size_t k = 0; k < now.size(); ++k) {
      if (same_bits(now[k].second, first[k].second)) continue;
      return lines.write(case_name, "failed", "other bits in " + now[k].first + " in run " + std::to_string(i + 1));
    }
  }
  lines.write(case_name, "passed", std::to_string(times) + " runs");
}

}  // namespace

int main(int argc, char** argv) {
  JsonLines lines;
  if (const std::string why = why_unavailable(DeviceKind::cuda); !why.empty()) {
    lines.write("all", "skipped", why);
    return 77;
  }
  int times = 20;
  bool all = true;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--few") == 0) all = false;
    else times = std::max(2, std::atoi(argv[i]));
  }
  for (const LayerCase& one : layer_cases({std::begin(cells), std::end(cells)}, all)) {
    if (one.config.data_type == DataType::float64) continue;  // the same launches
    for (const Algorithm algorithm : own_algorithms(all)) {
      try {
        with_number(one.config.data_type,
                    [&]<class Number>(Number) { repeat<Number>(one, algorithm, times, lines); });
      } catch (const Error& error) {
        const bool does_not_fit = error.kind() == Error::Kind::usage && algorithm != Algorithm::stepwise;
        lines.write(one.name + "/" + name_of(algorithm), does_not_fit ? "skipped" : "failed", error.what());
      }
    }
  }
  return lines.failed() ? 1 : 0;
}
