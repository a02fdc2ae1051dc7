// How good a model's answers are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/data/batches.h"
#include "host/json/json.h"

namespace sluice {

/// A model on a data set.
struct Evaluation {
  double loss = 0.0;          ///< mean over the targets
  double accuracy = 0.0;      ///< part of them that was met
  std::int64_t examples = 0;  ///< rows
  std::int64_t targets = 0;   ///< what was to be answered: a row's label, or one for each step
  double seconds = 0.0;
  bool stopped = false;  ///< the rest means nothing then
};

/// What an evaluation counts beside the loss, and the report on both.
class Metrics {
 public:
  virtual ~Metrics() = default;

  /// `outputs`: of the batch, as Model::download_outputs() gives them.
  virtual void add(const Batch& batch, const std::vector<float>& outputs) = 0;
  virtual double accuracy() const = 0;

  virtual std::vector<std::string> lines(const Evaluation& result) const = 0;  ///< for people
  virtual Json json(const Evaluation& result) const = 0;                       ///< an object
};

}  // namespace sluice
