// Sluice's algorithms on a GPU beside cuDNN itself: forward, final states and gradients of every
// cell, direction, number of layers and pattern of lengths that cuDNN has. Prints a JSON object a
// line: {"case", "result", "detail", "algorithm", "against", "allowed", "errors": {tensor: maximal
// difference, relative to the largest number of the tensor}}. With --few, some cases alone.
// Exit codes: 0 all within what is allowed; 1 not; 77 skipped, with the reason.
#include <algorithm>
#include <cstring>

#include "kernels/cudnn.h"
#include "tests/gpu/cases.h"

namespace {

using namespace sluice;
using namespace sluice::test;

constexpr Algorithm cudnn_algorithms[] = {Algorithm::cudnn_standard, Algorithm::cudnn_persist_static,
                                          Algorithm::cudnn_persist_dynamic,
                                          Algorithm::cudnn_persist_static_small_h};

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3g", value);
  return std::isfinite(value) ? text : "null";  // JSON has no NaN
}

/// max |a - b| / max(|b|, 1); NaN if either has one.
double error_of(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 1.0, difference = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double one = std::abs(a[i] - b[i]);
    if (!std::isfinite(one)) return one - one;
    difference = std::max(difference, one);
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference / largest;
}

template <class Number>
Outputs run(const LayerCase& one, Algorithm algorithm) {
  test::RecurrentPass<Number> pass(one.config, {DeviceKind::cuda, algorithm}, SequenceLayout(one.lengths));
  fill_case(pass);
  pass.forward();
  pass.backward();
  return outputs(pass);
}

/// Sums of H products over up to 60 steps and 3 layers, in another order; in 16 bits both sides
/// round at every step, by up to 2^-11 or 2^-8.
double allowed_error(DataType type) {
  switch (type) {
    case DataType::float64: return 1e-11;
    case DataType::float16: return 16 * 0x1p-11;
    case DataType::bfloat16: return 16 * 0x1p-8;
    case DataType::float32: break;
  }
  return 2e-5;
}

/// A persistent algorithm takes rows of equal length alone, and persist_dynamic is compiled anew for
/// each plan.
bool is_worth_trying(const LayerCase& one, Algorithm theirs) {
  if (theirs == Algorithm::cudnn_standard) return true;
  if (!SequenceLayout(one.lengths).host_view().equal_lengths || one.config.data_type == DataType::float64) {
    return false;
  }
  return theirs != Algorithm::cudnn_persist_dynamic || (one.config.num_layers == 1 && one.config.hidden_size >= 128);
}

void compare_outputs(const std::string& name, Algorithm ours, const Outputs& got, Algorithm theirs,
                     const Outputs& expected, double allowed, JsonLines& lines) {
  std::string errors, worst;
  double largest = 0.0;
  bool within = true;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = error_of(got[i].second, expected[i].second);
    errors += (i == 0 ? "" : ", ") + json_text(got[i].first) + ": " + number(error);
    within = within && error <= allowed;  // false for NaN
    if (!(error <= largest)) largest = error, worst = got[i].first;
  }
  lines.write(name + "/" + name_of(theirs) + "/" + name_of(ours), within ? "passed" : "failed",
              "largest error " + number(largest) + " in " + worst,
              std::string(", \"algorithm\": \"") + name_of(ours) + "\", \"against\": \"" + name_of(theirs) +
                  "\", \"allowed\": " + number(allowed) + ", \"errors\": {" + errors + "}");
}

template <class Number>
void compare(const LayerCase& one, const std::vector<Algorithm>& own, JsonLines& lines) {
  const double allowed = allowed_error(one.config.data_type);
  std::vector<std::pair<Algorithm, Outputs>> results;
  for (const Algorithm ours : own) {
    const std::string name = one.name + "/" + name_of(ours);
    try {
      results.emplace_back(ours, run<Number>(one, ours));
    } catch (const Error& error) {
      const bool does_not_fit = error.kind() == Error::Kind::usage && ours != Algorithm::stepwise;
      lines.write(name, does_not_fit ? "skipped" : "failed", error.what());
    }
  }
  for (const Algorithm theirs : cudnn_algorithms) {
    if (!is_worth_trying(one, theirs)) continue;
    try {
      const Outputs expected = run<Number>(one, theirs);
      for (const auto& [ours, got] : results) {
        compare_outputs(one.name, ours, got, theirs, expected, allowed, lines);
      }
    } catch (const Error& error) {
      // The standard algorithm takes all of them.
      lines.write(one.name + "/" + name_of(theirs), theirs == Algorithm::cudnn_standard ? "failed" : "skipped",
                  error.what());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  JsonLines lines;
  const std::string no_gpu = why_unavailable(DeviceKind::cuda);
  if (const std::string& why = no_gpu.empty() ? cudnn_presence().problem : no_gpu; !why.empty()) {
    lines.write("all", "skipped", why);
    return 77;
  }
  const bool all = argc < 2 || std::strcmp(argv[1], "--few") != 0;
  for (const LayerCase& one : layer_cases({Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru}, all)) {
    with_number(one.config.data_type,
                [&]<class Number>(Number) { compare<Number>(one, own_algorithms(all), lines); });
  }
  const bool stray = testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed();
  if (stray) lines.write("guards", "failed", "a pass wrote outside of its buffers or changed its inputs");
  return lines.failed() ? 1 : 0;
}
