// The recurrent layers that are compared and repeated on a GPU: every cell, number type, direction,
// number of layers and pattern of lengths.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/exact_pass.h"
#include "tests/engine/recurrent_pass.h"

namespace sluice::test {

struct LayerCase {
  std::string name;
  RecurrentConfig config;
  std::vector<std::int32_t> lengths;
};

/// Of Sluice's own; what does not fit a case is reported as skipped. `all` false: the one that fits
/// every case.
inline std::vector<Algorithm> own_algorithms(bool all) {
  if (!all) return {Algorithm::stepwise};
  return {Algorithm::stepwise, Algorithm::persistent_block, Algorithm::persistent_cluster,
          Algorithm::persistent_grid};
}

inline std::vector<std::pair<std::string, std::vector<std::int32_t>>> length_patterns() {
  return {{"equal", std::vector<std::int32_t>(32, 20)},
          {"ragged", {7, 20, 1, 13, 20, 2, 9, 4, 17, 1, 11, 6, 20, 3, 8, 5}},
          {"one_long", {1, 1, 1, 1, 60, 1, 1}},
          {"one_row", {25}}};
}

/// The number types, TF32 among them, in the order in which they are tried.
struct Arithmetic {
  const char* name;
  DataType type;
  MatrixMath math = MatrixMath::ieee;
};
inline constexpr Arithmetic arithmetics[] = {{"float32", DataType::float32},
                                             {"tf32", DataType::float32, MatrixMath::tf32},
                                             {"bfloat16", DataType::bfloat16},
                                             {"float16", DataType::float16},
                                             {"float64", DataType::float64}};

/// `of_cells`, in their order, in every number type; 1 and 3 layers; H 17 (tails) and 128 (whole
/// tiles). `all` false: some of H 17.
inline std::vector<LayerCase> layer_cases(const std::vector<Cell>& of_cells, bool all = true) {
  std::vector<LayerCase> cases;
  for (const Cell cell : of_cells) {
    for (const Arithmetic& numbers : arithmetics) {
      for (const std::int64_t hidden : {17, 128}) {
        for (const int layers : {1, 3}) {
          for (const bool both : {false, true}) {
            for (const auto& [pattern, lengths] : length_patterns()) {
              const bool plain = layers == 1 && !both && pattern == "ragged";
              const bool exact =
                  numbers.type == DataType::float32 && numbers.math == MatrixMath::ieee;
              const bool few = hidden == 17 && pattern != "equal" &&
                               (exact || (plain && numbers.type != DataType::float64));
              if (!all && !few) continue;
              RecurrentConfig config;
              config.cell = cell;
              config.data_type = numbers.type;
              config.math = numbers.math;
              config.input_size = hidden == 17 ? 13 : 128;
              config.hidden_size = hidden;
              config.num_layers = layers;
              config.bidirectional = both;
              cases.push_back({std::string(sluice::name_of(cell)) + "_" + numbers.name + "_h" +
                                   std::to_string(hidden) + "_l" + std::to_string(layers) +
                                   (both ? "_d2_" : "_d1_") + pattern,
                               config, lengths});
            }
          }
        }
      }
    }
  }
  return cases;
}

/// Inputs as fill_inputs makes them, with weights of the size that training begins with; where the
/// rounding of 16 bits or of TF32 could move a ReLU's input past 0, those of fill_smoothly.
template <class Number>
void fill_case(RecurrentPass<Number>& pass) {
  const RecurrentConfig& config = pass.plan().config();
  const bool rounded = sizeof(Number) == 2 || config.math == MatrixMath::tf32;
  if (config.cell == Cell::rnn_relu && rounded) return fill_smoothly(pass);
  fill_inputs(pass);
  const double scale = 1.0 / (0.6 * std::sqrt(static_cast<double>(config.hidden_size)));
  for (Number& weight : pass.parameters) {
    weight = narrow<Number>(static_cast<Wide<Number>>(static_cast<double>(widen(weight)) * scale));
  }
}

/// Every output of both passes by name, widened.
using Outputs = std::vector<std::pair<std::string, std::vector<double>>>;
template <class Number>
Outputs outputs(const RecurrentPass<Number>& pass) {
  Outputs all;
  const auto add = [&](const std::string& name, const auto& values, std::int64_t begin,
                       std::int64_t end) {
    std::vector<double> numbers;
    for (std::int64_t i = begin; i < end; ++i)
      numbers.push_back(static_cast<double>(widen(values[i])));
    if (!numbers.empty()) all.emplace_back(name, std::move(numbers));
  };
  const auto whole = [&](const std::string& name, const auto& values) {
    add(name, values, 0, static_cast<std::int64_t>(values.size()));
  };
  whole("y", pass.y);
  whole("h_n", pass.h_n);
  whole("c_n", pass.c_n);
  whole("dx", pass.dx);
  whole("dh0", pass.dh0);
  whole("dc0", pass.dc0);
  for (const ParameterView& view : recurrent_parameters(pass.plan().config())) {
    add("d_" + view.name, pass.d_parameters, view.offset, view.offset + view.size());
  }
  return all;
}

/// What passes wrote outside of their buffers, or changed of their inputs, since the last call;
/// empty if nothing. Guards fail as GoogleTest's checks do, here without a test around them.
inline std::string stray_writes() {
  static int seen = 0;
  const testing::TestResult& all = testing::UnitTest::GetInstance()->ad_hoc_test_result();
  std::string found;
  for (; seen < all.total_part_count(); ++seen) {
    const testing::TestPartResult& part = all.GetTestPartResult(seen);
    if (part.failed()) found += (found.empty() ? "" : "; ") + std::string(part.message());
  }
  return found;
}

/// Whether `error` says that an algorithm does not take the case, rather than that it failed at it.
inline bool does_not_fit(const Error& error, Algorithm algorithm) {
  return error.kind() == Error::Kind::usage && algorithm != Algorithm::stepwise;
}

}  // namespace sluice::test
