#include "bench/layers/layer_problem.h"

#include <cstdio>
#include <numeric>

namespace sluice::bench {
namespace {

// One number for each layer and direction: I of the first layer, D*H of the others.
double inputs_over_layers(const RecurrentConfig& config) {
  return config.directions() *
         static_cast<double>(config.input_size + (config.num_layers - 1) * config.output_size());
}

std::string rate(const char* name, double value) {
  if (value == 0.0) return "";
  char text[32];
  std::snprintf(text, sizeof text, "/%s%g", name, value);
  return text;
}

}  // namespace

const char* number_name(const RecurrentConfig& config) {
  const bool tf32 = config.data_type == DataType::float32 && config.math == MatrixMath::tf32;
  return tf32 ? "tf32" : sluice::name_of(config.data_type);
}

SequenceLayout LayerProblem::layout() const {
  return lengths.empty() ? SequenceLayout::equal(steps, batch) : SequenceLayout(lengths);
}

std::int64_t LayerProblem::rows() const {
  return lengths.empty() ? std::int64_t{steps} * batch
                         : std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
}

PassShape LayerProblem::shape() const { return {rows(), steps, batch, training}; }

std::string LayerProblem::name() const {
  std::string text = std::string(sluice::name_of(config.cell)) + "/T" + std::to_string(steps) +
                     "/B" + std::to_string(batch) + "/I" + std::to_string(config.input_size) +
                     "/H" + std::to_string(config.hidden_size) + "/" + number_name(config);
  if (config.num_layers > 1) text += "/L" + std::to_string(config.num_layers);
  if (config.bidirectional) text += "/D2";
  if (!lengths.empty()) text += "/ragged";
  return text + rate("input_dropout", config.input_dropout) +
         rate("layer_dropout", config.layer_dropout) +
         rate("recurrent_dropout", config.recurrent_dropout);
}

double LayerProblem::input_product_flops() const {
  return 2.0 * rows() * gate_count(config.cell) * config.hidden_size * inputs_over_layers(config) *
         (training ? 3 : 1);
}

double LayerProblem::flops() const {
  const double recurrent = 2.0 * rows() * gate_count(config.cell) * config.hidden_size *
                           config.hidden_size * config.num_layers * config.directions();
  return input_product_flops() + recurrent * (training ? 3 : 1);
}

double LayerProblem::compulsory_bytes() const {
  const double n = static_cast<double>(rows());
  const double parameters = static_cast<double>(parameter_count(recurrent_parameters(config)));
  const double ends = n * (config.input_size + config.output_size());  // x and y
  double numbers = ends + parameters;
  if (training) {
    const double saved = n * config.num_layers * config.directions() * config.hidden_size *
                         (slot_count(config.cell) + (has_cell_state(config.cell) ? 1 : 0));
    numbers += 2 * ends + 2 * parameters + 2 * saved;
  }
  return numbers * size_of(config.data_type);
}

}  // namespace sluice::bench
