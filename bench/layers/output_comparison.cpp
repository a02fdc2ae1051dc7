#include "bench/layers/output_comparison.h"

#include <array>
#include <cmath>

#include "bench/layers/random_numbers.h"

namespace sluice::bench {

Difference largest_difference(const std::vector<NamedOutput>& a,
                              const std::vector<NamedOutput>& b) {
  if (a.size() != b.size()) throw Refusal("it has other outputs");
  Difference largest{"nothing", -1.0};
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].values.size() != b[i].values.size()) {
      throw Refusal("output " + b[i].name + " has no counterpart of its size");
    }
    double apart = 0, size = 0;
    for (std::size_t j = 0; j < a[i].values.size(); ++j) {
      const double difference = double{a[i].values[j]} - double{b[i].values[j]};
      apart += difference * difference;
      size += double{b[i].values[j]} * double{b[i].values[j]};
    }
    double relative = std::sqrt(size > 0 ? apart / size : apart);
    if (std::isnan(relative)) relative = INFINITY;
    if (relative > largest.relative) largest = {a[i].name, relative};
  }
  return largest;
}

double allowed_difference(const RecurrentConfig& config) {
  const bool rounded = config.data_type == DataType::float16 || config.math == MatrixMath::tf32;
  if (config.data_type == DataType::bfloat16) return 4e-2;
  return rounded || config.cell == Cell::rnn_relu ? 5e-3 : 1e-4;
}

nlohmann::ordered_json digest(const std::vector<NamedOutput>& outputs) {
  constexpr std::size_t kProjections = 8;
  nlohmann::ordered_json found = nlohmann::ordered_json::object();
  for (const NamedOutput& output : outputs) {
    double squares = 0;
    std::array<double, kProjections> projections{};
    for (std::size_t j = 0; j < output.values.size(); ++j) {
      const double value = output.values[j];
      squares += value * value;
      for (std::size_t k = 0; k < kProjections; ++k) {
        const bool negative = random_number(Stream::signs, kProjections * j + k) < 0.0f;
        projections[k] += negative ? -value : value;
      }
    }
    found[output.name] = {
        {"size", output.values.size()}, {"norm", std::sqrt(squares)}, {"projections", projections}};
  }
  return found;
}

}  // namespace sluice::bench
