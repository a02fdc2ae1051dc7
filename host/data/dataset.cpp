#include "host/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "host/data/random_sequence.h"
#include "kernels/base/error.h"
#include "kernels/device/parallel_for.h"

namespace sluice {
namespace {

/// One part for each tile of 512 examples, made by make(first, last) on `threads` if there are any;
/// the tiles do not depend on the number of threads.
template <class Part, class Make>
std::vector<Part> make_parts(const ExampleSet& set, ThreadPool* threads, Make&& make) {
  constexpr std::size_t tile = 512;
  const std::size_t rows = set.examples.size();
  std::vector<Part> parts((rows + tile - 1) / tile);
  const Queue queue{.device = DeviceKind::cpu, .threads = threads};
  parallel_for(queue, static_cast<std::int64_t>(parts.size()), [&](std::int64_t i) {
    const std::size_t first = static_cast<std::size_t>(i) * tile;
    parts[static_cast<std::size_t>(i)] = make(first, std::min(rows, first + tile));
  });
  return parts;
}

struct EncodedRows {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> step_labels;
  std::vector<float> frames;
  std::vector<std::size_t> lengths;
};

void check(const EncodeOptions& options) {
  require(options.max_length >= 0,
          "max_length: expected 0 (no limit) or more, got " + std::to_string(options.max_length));
  require(options.max_length > 0 || options.padding == Padding::none,
          "max_length: padding needs a length to pad to; give one above 0 or turn padding off");
}

// What truncation keeps of a row's steps, and the padding around it.
struct Window {
  std::size_t before = 0, begin = 0, kept = 0, behind = 0;

  std::size_t length() const { return before + kept + behind; }
};

Window window_of(std::size_t steps, const EncodeOptions& options) {
  Window window;
  window.kept = options.max_length == 0
                    ? steps
                    : std::min(steps, static_cast<std::size_t>(options.max_length));
  if (options.truncation == Truncation::keep_last) window.begin = steps - window.kept;
  if (options.padding == Padding::none) return window;
  const std::size_t fill = static_cast<std::size_t>(options.max_length) - window.kept;
  (options.padding == Padding::pre ? window.before : window.behind) = fill;
  return window;
}

// `values`: `each` numbers a step.
template <class T>
void append(std::span<const T> values, const Window& window, std::size_t each, T padding,
            std::vector<T>& to) {
  const std::span<const T> kept = values.subspan(window.begin * each, window.kept * each);
  to.insert(to.end(), window.before * each, padding);
  to.insert(to.end(), kept.begin(), kept.end());
  to.insert(to.end(), window.behind * each, padding);
}

// `step_labels`: of all its steps; empty if they have none.
void encode_example(const ExampleSet& set, std::size_t i, std::span<const std::int32_t> step_labels,
                    Tokenizer& tokenizer, const Vocabulary& vocabulary,
                    const EncodeOptions& options, EncodedRows& rows) {
  const Example& example = set.examples[i];
  if (set.input == InputKind::text) {
    const std::size_t before = rows.tokens.size();
    encode_text(example.text, tokenizer, vocabulary, options, rows.tokens);
    return rows.lengths.push_back(rows.tokens.size() - before);
  }
  const Window window = window_of(set.steps(i), options);
  rows.lengths.push_back(window.length());
  if (set.input == InputKind::frames) {
    append<float>(example.frames, window, static_cast<std::size_t>(set.width), 0.0f, rows.frames);
  } else {
    rows.tokens.insert(rows.tokens.end(), window.before, Vocabulary::padding);
    for (std::size_t t = window.begin; t < window.begin + window.kept; ++t) {
      rows.tokens.push_back(vocabulary.id(tokenizer.whole(example.tokens[t])));
    }
    rows.tokens.insert(rows.tokens.end(), window.behind, Vocabulary::padding);
  }
  if (!step_labels.empty()) append(step_labels, window, 1, no_label, rows.step_labels);
}

template <class T>
void join(std::vector<EncodedRows>& parts, std::vector<T> EncodedRows::*values,
          std::vector<T>& all) {
  std::size_t total = 0;
  for (const EncodedRows& part : parts) total += (part.*values).size();
  all.reserve(total);
  for (EncodedRows& part : parts) {
    all.insert(all.end(), (part.*values).begin(), (part.*values).end());
    std::vector<T>().swap(part.*values);
  }
}

}  // namespace

const char* name_of(Truncation truncation) {
  return truncation == Truncation::keep_first ? "first" : "last";
}

const char* name_of(Padding padding) {
  return padding == Padding::none ? "none" : padding == Padding::pre ? "pre" : "post";
}

Truncation truncation_from_name(const std::string& name) {
  for (const Truncation truncation : {Truncation::keep_first, Truncation::keep_last}) {
    if (name == name_of(truncation)) return truncation;
  }
  throw Error::usage("truncate must be first or last, got '" + name + "'");
}

Padding padding_from_name(const std::string& name) {
  for (const Padding padding : {Padding::none, Padding::pre, Padding::post}) {
    if (name == name_of(padding)) return padding;
  }
  throw Error::usage("padding must be none, pre or post, got '" + name + "'");
}

std::int32_t Dataset::longest() const {
  std::int32_t longest = 0;
  for (std::int32_t i = 0; i < size(); ++i) longest = std::max(longest, length(i));
  return longest;
}

TokenCounts count_tokens(const ExampleSet& set, const TokenizerOptions& tokenizer,
                         ThreadPool* threads) {
  const auto parts =
      make_parts<TokenCounts>(set, threads, [&](std::size_t first, std::size_t last) {
        Tokenizer splitter(tokenizer);
        TokenCounts counts;
        for (std::size_t i = first; i < last; ++i) {
          const Example& example = set.examples[i];
          for (const std::string_view token : splitter.split(example.text)) counts.add(token);
          for (const std::string& token : example.tokens) counts.add(splitter.whole(token));
        }
        return counts;
      });
  TokenCounts total;
  for (const TokenCounts& part : parts) total.merge(part);
  return total;
}

void encode_text(std::string_view text, Tokenizer& tokenizer, const Vocabulary& vocabulary,
                 const EncodeOptions& options, std::vector<std::int32_t>& ids) {
  check(options);
  const std::vector<std::string_view>& tokens = tokenizer.split(text);
  const Window window = window_of(std::max<std::size_t>(tokens.size(), 1), options);
  ids.insert(ids.end(), window.before, Vocabulary::padding);
  if (tokens.empty()) ids.push_back(Vocabulary::unknown);
  for (std::size_t i = window.begin; i < std::min(window.begin + window.kept, tokens.size()); ++i) {
    ids.push_back(vocabulary.id(tokens[i]));
  }
  ids.insert(ids.end(), window.behind, Vocabulary::padding);
}

Dataset encode_examples(const ExampleSet& set, const LabelSet& labels,
                        const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                        const EncodeOptions& options, ThreadPool* threads) {
  check(options);
  const std::vector<std::int32_t> indices = labels.indices(set);
  const bool labelled_steps = set.targets == TargetKind::step;
  std::vector<std::size_t> begins;  // of an example's steps among all
  if (labelled_steps) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < set.examples.size(); ++i) {
      const std::size_t count = set.examples[i].labels.size();
      require(count == set.steps(i), set.location(i) + ": expected a label for each of " +
                                         std::to_string(set.steps(i)) + " steps, got " +
                                         std::to_string(count));
      begins.push_back(begin);
      begin += count;
    }
  }
  auto parts = make_parts<EncodedRows>(set, threads, [&](std::size_t first, std::size_t last) {
    Tokenizer splitter(tokenizer);
    EncodedRows rows;
    for (std::size_t i = first; i < last; ++i) {
      std::span<const std::int32_t> of_steps;
      if (labelled_steps) of_steps = std::span(indices).subspan(begins[i], set.steps(i));
      encode_example(set, i, of_steps, splitter, vocabulary, options, rows);
    }
    return rows;
  });

  Dataset dataset;
  dataset.width = set.width;
  dataset.offsets.reserve(set.examples.size() + 1);
  for (const EncodedRows& part : parts) {
    for (const std::size_t length : part.lengths) {
      dataset.offsets.push_back(dataset.offsets.back() + static_cast<std::int64_t>(length));
    }
  }
  join(parts, &EncodedRows::tokens, dataset.tokens);
  join(parts, &EncodedRows::frames, dataset.frames);
  join(parts, &EncodedRows::step_labels, dataset.step_labels);
  if (set.targets == TargetKind::row) dataset.labels = indices;
  return dataset;
}

Split split_rows(const std::vector<std::int32_t>& labels, const SplitOptions& options) {
  require(options.validation_fraction >= 0.0 && options.validation_fraction < 1.0,
          "validation_fraction: expected a number in [0, 1), got " +
              std::to_string(options.validation_fraction));
  std::vector<std::vector<std::int32_t>> rows_of_class;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    if (label >= rows_of_class.size()) rows_of_class.resize(label + 1);
    rows_of_class[label].push_back(static_cast<std::int32_t>(i));
  }
  Split split;
  for (std::size_t label = 0; label < rows_of_class.size(); ++label) {
    std::vector<std::int32_t>& rows = rows_of_class[label];
    if (rows.empty()) continue;
    if (options.method == SplitMethod::sample) {
      RandomSequence(options.seed, random_stream::split, static_cast<std::uint32_t>(label))
          .shuffle(rows);
    }
    const auto wanted = static_cast<std::size_t>(
        std::lround(options.validation_fraction * static_cast<double>(rows.size())));
    const auto middle = rows.end() - static_cast<std::ptrdiff_t>(std::min(wanted, rows.size() - 1));
    split.training.insert(split.training.end(), rows.begin(), middle);
    split.validation.insert(split.validation.end(), middle, rows.end());
  }
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

Split split_dataset(const Dataset& dataset, const SplitOptions& options) {
  if (!dataset.labels.empty()) return split_rows(dataset.labels, options);
  return split_rows(std::vector<std::int32_t>(static_cast<std::size_t>(dataset.size())), options);
}

std::vector<std::int32_t> all_rows(const Dataset& dataset) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(dataset.size()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace sluice
