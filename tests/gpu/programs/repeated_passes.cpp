// The same passes again and again on a GPU: every output must have the same bits each time.
// A case for each layer and algorithm (json_lines.h says how they are chosen and reported).
#include <algorithm>
#include <memory>

#include "bench/measure/device_state.h"
#include "tests/gpu/programs/cases.h"
#include "tests/gpu/programs/json_lines.h"

namespace {

using namespace sluice;
using namespace sluice::test;

template <class Number>
CaseResult repeat(const LayerCase& one, Algorithm algorithm, int times) {
  test::RecurrentPass<Number> pass(one.config, {DeviceKind::cuda, algorithm},
                                   SequenceLayout(one.lengths));
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
      return {CaseResult::failed,
              "other bits in " + now[k].first + " in run " + std::to_string(i + 1)};
    }
  }
  return {CaseResult::passed, std::to_string(times) + " runs"};
}

CaseResult run(const LayerCase& one, Algorithm algorithm, int times) {
  CaseResult result;
  try {
    with_number(one.config.data_type,
                [&]<class Number>(Number) { result = repeat<Number>(one, algorithm, times); });
  } catch (const Error& error) {
    result = {does_not_fit(error, algorithm) ? CaseResult::skipped : CaseResult::failed,
              error.what()};
  }
  if (const std::string stray = stray_writes(); !stray.empty()) return {CaseResult::failed, stray};
  return result;
}

int times_from(const std::string& text) {
  std::size_t read = 0;
  int times = 0;
  try {
    times = std::stoi(text, &read);
  } catch (const std::exception&) {  // no number at all
  }
  if (read != text.size() || times < 2) {
    throw std::invalid_argument("--times: expected a number from 2, got '" + text + "'");
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  int times = 20;
  bool all = true;
  LineProgram program{"repeated_passes", "the same passes on a GPU have the same bits each time"};
  program.options = {
      {"--times", "N", "runs of each case, 20 by default",
       [&](const std::string& text) { times = times_from(text); }},
      {"--few", "", "some layers alone, stepwise", [&](const std::string&) { all = false; }}};
  program.cases = [&] {
    std::vector<LineCase> cases;
    for (const LayerCase& one : layer_cases(
             {Cell::lstm, Cell::gru, Cell::gru_reset_before, Cell::rnn_tanh, Cell::rnn_relu},
             all)) {
      if (one.config.data_type == DataType::float64) continue;  // the same launches
      for (const Algorithm algorithm : own_algorithms(all)) {
        cases.push_back({one.name + "/" + name_of(algorithm), [one, algorithm, &times](JsonLines&) {
                           return run(one, algorithm, times);
                         }});
      }
    }
    return cases;
  };
  program.why_skipped = [] { return why_unavailable(DeviceKind::cuda); };
  program.why_broken = bench::why_context_is_broken;
  return run_line_program(argc, argv, program);
}
