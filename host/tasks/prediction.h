// Answers to an input of texts, as `sluice predict` gives them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/data/foreign_format.h"
#include "host/data/labels.h"
#include "host/data/text_lines.h"
#include "host/tasks/model.h"
#include "host/tasks/model_description.h"
#include "host/text/tokenizer.h"
#include "host/text/vocabulary.h"

namespace sluice {

/// A model with what stands between it and a text.
struct TrainedModel {
  ModelDescription description;
  LabelSet labels;
  Vocabulary vocabulary;
  Model model;
};

struct PredictionOptions {
  bool json = false;    ///< answers as JSON lines
  bool strict = false;  ///< a bad record is an error; else it is counted, and answered as well
                        ///< as can be
  bool plain = false;   ///< take anything for text
  std::string format = "auto";  ///< of the input, or text, jsonl, conll; a task says which it knows
  std::string run;              ///< the run's folder, for remedies
};

/// Reads records, and answers them in their order. One input, from its beginning to its end.
class Predictor {
 public:
  virtual ~Predictor() = default;

  /// Reads the next record, and no further; false at the end of the input.
  /// Errors: usage for an input of another kind, with file, line and remedy.
  virtual bool read() = 0;
  /// The lines that answer the records read since the last call.
  virtual std::vector<std::string> answer() = 0;
  /// For people, at the end: what was odd about the input.
  virtual std::vector<std::string> notes() const = 0;
};

/// Throws an error of usage: the input looks like `format`, where `expected` was; with a remedy.
[[noreturn]] void refuse_input(const ForeignFormat& format, const std::string& expected,
                               const TextLines& lines, const PredictionOptions& options);

/// Where in an input something odd was met.
struct Oddity {
  std::int64_t count = 0;
  std::string first;

  void meet(const std::string& where) {
    if (++count == 1) first = where;
  }
};

}  // namespace sluice
