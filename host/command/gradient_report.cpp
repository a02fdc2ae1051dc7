#include "host/command/gradient_report.h"

#include <cmath>

#include "host/data/batches.h"

namespace sluice {

std::vector<double> gradient_norms_from_end(const Model& model, const Dataset& dataset,
                                            const std::vector<std::int32_t>& rows) {
  ModelConfig config = model.config();
  config.word_dropout = config.input_dropout = config.layer_dropout = config.head_dropout = 0.0;
  config.unit_options = {};
  Model probe(model.queue(), model.task(), config);
  probe.set_parameters(model.download_parameters());
  probe.keep_input_gradients();
  const Batch batch = make_batch(dataset, rows);
  probe.train_pass(batch, {}, nullptr);
  const std::vector<float> gradient = probe.download_input_gradient();
  const auto targets = static_cast<double>(probe.targets());

  const auto embedding = static_cast<std::size_t>(config.input_size());
  const auto steps = static_cast<std::size_t>(batch.layout.steps());
  std::vector<double> norms(steps, 0.0);
  std::vector<double> counted(steps, 0.0);
  for (std::int32_t row = 0; row < batch.layout.batch(); ++row) {
    const std::int32_t length = batch.layout.lengths()[static_cast<std::size_t>(row)];
    for (std::int32_t t = 0; t < length; ++t) {
      const auto packed =
          static_cast<std::size_t>(batch.layout.offsets()[static_cast<std::size_t>(t)] + row);
      double squares = 0.0;
      for (std::size_t e = 0; e < embedding; ++e) {
        const double value = gradient[packed * embedding + e];
        squares += value * value;
      }
      const auto distance = static_cast<std::size_t>(length - 1 - t);
      norms[distance] += std::sqrt(squares) * targets;  // the loss is a mean over them
      counted[distance] += 1.0;
    }
  }
  for (std::size_t d = 0; d < steps; ++d) norms[d] /= counted[d];
  return norms;
}

}  // namespace sluice
