// The recurrent layers that are compared and repeated on a GPU: every cell, direction, number of
// layers and pattern of lengths.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
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

/// `cells` in every number type; 1 and 3 layers; H 17 (tails) and 128 (whole tiles).
inline std::vector<LayerCase> layer_cases(const std::vector<Cell>& of_cells, bool all = true) {
  std::vector<LayerCase> cases;
  for (const Cell cell : of_cells) {
    for (const DataType type : {DataType::float32, DataType::float64, DataType::bfloat16, DataType::float16}) {
      for (const std::int64_t hidden : {17, 128}) {
        for (const int layers : {1, 3}) {
          for (const bool both : {false, true}) {
            for (const auto& [pattern, lengths] : length_patterns()) {
              const bool plain = layers == 1 && !both && pattern == "ragged";
              const bool few = hidden == 17 && pattern != "equal" &&
                               (type == DataType::float32 || (is_16_bit(type) && plain));
              if (!all && !few) continue;
              RecurrentConfig config;
              config.cell = cell;
              config.data_type = type;
              config.input_size = hidden == 17 ? 13 : 128;
              config.hidden_size = hidden;
              config.num_layers = layers;
              config.bidirectional = both;
              cases.push_back({std::string(sluice::name_of(cell)) + "_" + sluice::name_of(type) + "_h" +
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

/// Inputs as fill_inputs makes them, with weights of the size that training begins with; where a
/// 16-bit rounding could move a ReLU's input past 0, those of fill_smoothly.
template <class Number>
void fill_case(RecurrentPass<Number>& pass) {
  if (pass.plan().config().cell == Cell::rnn_relu && sizeof(Number) == 2) return fill_smoothly(pass);
  fill_inputs(pass);
  const double scale = 1.0 / (0.6 * std::sqrt(static_cast<double>(pass.plan().config().hidden_size)));
  for (Number& weight : pass.parameters) {
    weight = narrow<Number>(static_cast<Wide<Number>>(static_cast<double>(widen(weight)) * scale));
  }
}

/// Every output of both passes by name, widened.
using Outputs = std::vector<std::pair<std::string, std::vector<double>>>;
template <class Number>
Outputs outputs(const RecurrentPass<Number>& pass) {
  Outputs all;
  const auto add = [&](const std::string& name, const auto& values, std::int64_t begin, std::int64_t end) {
    std::vector<double> numbers;
    for (std::int64_t i = begin; i < end; ++i) numbers.push_back(static_cast<double>(widen(values[i])));
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

inline std::string json_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' || c == '\t' ? ' ' : c;
  }
  return quoted + "\"";
}

/// {"program", "case", "result", "detail"} and more, one object a line; counts what failed.
class JsonLines {
 public:
  void write(const std::string& name, const char* result, const std::string& detail,
             const std::string& more = "") {
    std::printf("{\"case\": %s, \"result\": \"%s\", \"detail\": %s%s}\n", json_text(name).c_str(), result,
                json_text(detail).c_str(), more.c_str());
    std::fflush(stdout);
    failed_ = failed_ || std::string(result) == "failed";
  }
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

}  // namespace sluice::test
