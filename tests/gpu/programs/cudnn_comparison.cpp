// Every algorithm on a GPU beside cuDNN's standard one: outputs, final states and gradients of
// every cell, number type, direction, number of layers and pattern of lengths that cuDNN has. LSTM
// and GRU come first. Subjects are Sluice's own algorithms and cuDNN's others; cuDNN's standard one
// is a case too, which must run and give numbers. A case's line has "algorithm", "against",
// "allowed" and "errors": {tensor: largest difference over the largest number of the tensor, at
// least 1} (json_lines.h says how cases are chosen and reported).
#include <algorithm>
#include <memory>
#include <optional>

#include "bench/measure/device_state.h"
#include "kernels/cudnn/cudnn.h"
#include "tests/gpu/programs/cases.h"
#include "tests/gpu/programs/json_lines.h"

namespace {

using namespace sluice;
using namespace sluice::test;

constexpr Algorithm reference = Algorithm::cudnn_standard;
constexpr Algorithm other_cudnn[] = {Algorithm::cudnn_persist_static,
                                     Algorithm::cudnn_persist_dynamic,
                                     Algorithm::cudnn_persist_static_small_h};

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

/// Sums of H products over up to 60 steps and 3 layers, in another order: float32 2e-5, float64
/// 1e-11. In 16 bits both sides round states and operands at every step, by up to u = 2^-11 or
/// 2^-8: 16 u. TF32 has float16's 11 bits, but only its operands are rounded, and hardware may cut
/// them off instead (cuBLAS and cuDNN do not say), which is twice as much and always towards 0: 16
/// * 2^-10. A gate or a weight in the wrong place is off by tenths.
double allowed_error(const RecurrentConfig& config) {
  switch (config.data_type) {
    case DataType::float64: return 1e-11;
    case DataType::float16: return 16 * 0x1p-11;
    case DataType::bfloat16: return 16 * 0x1p-8;
    case DataType::float32: break;
  }
  return config.math == MatrixMath::tf32 ? 16 * 0x1p-10 : 2e-5;
}

/// A persistent algorithm of cuDNN takes rows of equal length alone, and persist_dynamic is
/// compiled anew for each plan.
bool is_worth_trying(const LayerCase& one, Algorithm subject) {
  if (std::find(std::begin(other_cudnn), std::end(other_cudnn), subject) == std::end(other_cudnn))
    return true;
  if (!SequenceLayout(one.lengths).host_view().equal_lengths ||
      one.config.data_type == DataType::float64) {
    return false;
  }
  return subject != Algorithm::cudnn_persist_dynamic ||
         (one.config.num_layers == 1 && one.config.hidden_size >= 128);
}

Outputs pass(const LayerCase& one, Algorithm algorithm) {
  Outputs found;
  with_number(one.config.data_type, [&]<class Number>(Number) {
    test::RecurrentPass<Number> pass(one.config, {DeviceKind::cuda, algorithm},
                                     SequenceLayout(one.lengths));
    fill_case(pass);
    pass.forward();
    pass.backward();
    found = outputs(pass);
  });
  if (const std::string stray = stray_writes(); !stray.empty()) throw Error::runtime(stray);
  return found;
}

/// The reference's outputs of the last layer that was asked for: a layer's cases follow each other.
class Reference {
 public:
  /// Errors: as the reference's pass failed.
  const Outputs& of(const LayerCase& one) {
    if (one.name != name_) {
      name_ = one.name, problem_.clear();
      try {
        outputs_ = pass(one, reference);
      } catch (const Error& error) {
        problem_ = std::string(sluice::name_of(reference)) + " does not run: " + error.what();
      }
    }
    if (!problem_.empty()) throw Error::runtime(problem_);
    return outputs_;
  }

 private:
  std::string name_, problem_;
  Outputs outputs_;
};

CaseResult run_reference(const LayerCase& one, Reference& cudnn) {
  for (const auto& [tensor, numbers] : cudnn.of(one)) {
    if (std::any_of(numbers.begin(), numbers.end(), [](double x) { return !std::isfinite(x); })) {
      return {CaseResult::failed, tensor + " holds what is no finite number"};
    }
  }
  return {CaseResult::passed, "finite outputs"};
}

CaseResult compare(const LayerCase& one, Algorithm subject, Reference& cudnn) {
  std::optional<Outputs> got;
  try {
    got = pass(one, subject);
  } catch (const Error& error) {
    return {does_not_fit(error, subject) ? CaseResult::skipped : CaseResult::failed, error.what()};
  }
  const Outputs& expected = cudnn.of(one);
  const double allowed = allowed_error(one.config);
  JsonFields errors;
  std::string worst;
  double largest = 0.0;
  bool within = got->size() == expected.size();
  for (std::size_t i = 0; i < std::min(got->size(), expected.size()); ++i) {
    const double error = error_of((*got)[i].second, expected[i].second);
    errors.add(expected[i].first, error);
    within = within && error <= allowed;  // false for NaN
    if (!(error <= largest)) largest = error, worst = expected[i].first;
  }
  char text[40];
  std::snprintf(text, sizeof text, "%.3g", largest);
  CaseResult result{within ? CaseResult::passed : CaseResult::failed,
                    "largest error " + std::string(text) + (worst.empty() ? "" : " in " + worst)};
  result.more.add("algorithm", name_of(subject)).add("against", name_of(reference));
  result.more.add("allowed", allowed).add("errors", errors);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  bool all = true;
  Reference cudnn;
  LineProgram program{"cudnn_comparison", "every algorithm beside cuDNN's standard one on a GPU"};
  program.options = {
      {"--few", "", "some layers alone, stepwise", [&](const std::string&) { all = false; }}};
  program.cases = [&] {
    std::vector<LineCase> cases;
    for (const LayerCase& one :
         layer_cases({Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}, all)) {
      cases.push_back({one.name + "/" + name_of(reference),
                       [=, &cudnn](JsonLines&) { return run_reference(one, cudnn); }});
      std::vector<Algorithm> subjects = own_algorithms(all);
      subjects.insert(subjects.end(), std::begin(other_cudnn), std::end(other_cudnn));
      for (const Algorithm subject : subjects) {
        if (!is_worth_trying(one, subject)) continue;
        cases.push_back({one.name + "/" + name_of(subject),
                         [=, &cudnn](JsonLines&) { return compare(one, subject, cudnn); }});
      }
    }
    return cases;
  };
  program.why_skipped = [] {
    const std::string no_gpu = why_unavailable(DeviceKind::cuda);
    return no_gpu.empty() ? cudnn_presence().problem : no_gpu;
  };
  program.why_broken = bench::why_context_is_broken;
  return run_line_program(argc, argv, program);
}
