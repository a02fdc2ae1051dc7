// Examples as numbers: tokens or frames, lengths and labels in flat arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/data/examples.h"
#include "host/data/labels.h"
#include "host/text/tokenizer.h"
#include "host/text/vocabulary.h"
#include "kernels/device/thread_pool.h"

namespace sluice {

enum class Truncation {
  keep_first,  ///< the text's beginning
  keep_last,   ///< its end (Keras' default)
};
enum class Padding {
  none,  ///< rows keep their own lengths
  pre,   ///< Vocabulary::padding in front, up to max_length (Keras' default)
  post,  ///< behind
};

const char* name_of(Truncation truncation);  ///< first, last
const char* name_of(Padding padding);        ///< none, pre, post
/// Errors: usage, naming the choices.
Truncation truncation_from_name(const std::string& name);
Padding padding_from_name(const std::string& name);

struct EncodeOptions {
  std::int32_t max_length = 400;  ///< tokens; 0: no limit, which Padding::none alone allows
  Truncation truncation = Truncation::keep_last;
  Padding padding = Padding::none;
};

/// The label of a step that has none (padding): no target, in no loss and no metric.
inline constexpr std::int32_t no_label = -1;

/// Row i has the steps [offsets[i], offsets[i+1]), at least one, of tokens or of frames.
struct Dataset {
  std::vector<std::int32_t> tokens;            ///< [steps] ids as in Vocabulary; none with frames
  std::vector<std::int64_t> offsets{0};        ///< [rows + 1]
  std::vector<std::int32_t> labels = {};       ///< [rows] class indices; empty if rows have none
  std::vector<std::int32_t> step_labels = {};  ///< [steps] class indices or no_label; empty if
                                               ///< steps have none
  std::vector<float> frames = {};              ///< [steps, width]
  std::int32_t width = 0;                      ///< F; 0: tokens

  std::int32_t size() const { return static_cast<std::int32_t>(offsets.size() - 1); }
  std::int32_t length(std::int32_t i) const {
    const auto at = static_cast<std::size_t>(i);
    return static_cast<std::int32_t>(offsets[at + 1] - offsets[at]);
  }
  bool has_targets() const { return !labels.empty() || !step_labels.empty(); }
  std::int64_t steps() const { return offsets.back(); }
  /// The tokens of row i.
  std::span<const std::int32_t> row(std::int32_t i) const {
    return {tokens.data() + offsets[static_cast<std::size_t>(i)],
            static_cast<std::size_t>(length(i))};
  }
  std::int32_t longest() const;  ///< 0 if there are no rows
};

/// Token counts over all texts. The result does not depend on `threads` (null: this thread alone).
TokenCounts count_tokens(const ExampleSet& set, const TokenizerOptions& tokenizer,
                         ThreadPool* threads = nullptr);

/// Appends the ids of one text to `ids`, truncated and padded; a text without a token is one
/// `unknown`. Errors: usage when `options` are inconsistent.
void encode_text(std::string_view text, Tokenizer& tokenizer, const Vocabulary& vocabulary,
                 const EncodeOptions& options, std::vector<std::int32_t>& ids);

/// All examples, whatever they hold. Given tokens are taken as they stand, their case folded if
/// `tokenizer` says so. Steps that truncation leaves out take their labels with them; padding of
/// frames is zeros. Without targets `labels` is not asked.
/// Errors: usage with file and line for a label that `labels` lacks.
Dataset encode_examples(const ExampleSet& set, const LabelSet& labels,
                        const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                        const EncodeOptions& options, ThreadPool* threads = nullptr);

enum class SplitMethod {
  tail,    ///< the last rows of each class: for files where neighbours are alike (IMDB's films)
  sample,  ///< rows of each class at random, by `seed`
};

struct SplitOptions {
  double validation_fraction = 0.1;  ///< in [0, 1); of each class, rounded
  SplitMethod method = SplitMethod::sample;
  std::uint64_t seed = 1;
};

/// Row numbers, each list rising; together all rows. `training` always keeps a row of each class.
struct Split {
  std::vector<std::int32_t> training;
  std::vector<std::int32_t> validation;
};
Split split_rows(const std::vector<std::int32_t>& labels, const SplitOptions& options);
/// By the rows' labels; where rows have none, they are all of one class.
Split split_dataset(const Dataset& dataset, const SplitOptions& options);

/// 0, 1, ... size-1: the rows of a data set that is used whole.
std::vector<std::int32_t> all_rows(const Dataset& dataset);

}  // namespace sluice
