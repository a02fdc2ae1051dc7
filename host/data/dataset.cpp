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
  std::vector<std::size_t> ends;
};

void check(const EncodeOptions& options) {
  require(options.max_length >= 0,
          "max_length: expected 0 (no limit) or more, got " + std::to_string(options.max_length));
  require(options.max_length > 0 || options.padding == Padding::none,
          "max_length: padding needs a length to pad to; give one above 0 or turn padding off");
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
          for (const std::string_view token : splitter.split(set.examples[i].text)) {
            counts.add(token);
          }
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
  const auto limit = options.max_length == 0 ? std::max<std::size_t>(tokens.size(), 1)
                                             : static_cast<std::size_t>(options.max_length);
  const std::size_t kept = std::min(tokens.size(), limit);
  const std::size_t begin = options.truncation == Truncation::keep_last ? tokens.size() - kept : 0;
  const std::size_t fill =
      options.padding == Padding::none ? 0 : limit - std::max<std::size_t>(kept, 1);
  if (options.padding == Padding::pre) ids.insert(ids.end(), fill, Vocabulary::padding);
  for (std::size_t i = begin; i < begin + kept; ++i) ids.push_back(vocabulary.id(tokens[i]));
  if (kept == 0) ids.push_back(Vocabulary::unknown);
  if (options.padding == Padding::post) ids.insert(ids.end(), fill, Vocabulary::padding);
}

Dataset encode_examples(const ExampleSet& set, const LabelSet& labels,
                        const TokenizerOptions& tokenizer, const Vocabulary& vocabulary,
                        const EncodeOptions& options, ThreadPool* threads) {
  check(options);
  Dataset dataset;
  dataset.labels = labels.indices(set);
  const auto parts =
      make_parts<EncodedRows>(set, threads, [&](std::size_t first, std::size_t last) {
        Tokenizer splitter(tokenizer);
        EncodedRows rows;
        for (std::size_t i = first; i < last; ++i) {
          encode_text(set.examples[i].text, splitter, vocabulary, options, rows.tokens);
          rows.ends.push_back(rows.tokens.size());
        }
        return rows;
      });
  std::size_t total = 0;
  for (const EncodedRows& part : parts) total += part.tokens.size();
  dataset.tokens.reserve(total);
  dataset.offsets.reserve(set.examples.size() + 1);
  for (const EncodedRows& part : parts) {
    const std::size_t begin = dataset.tokens.size();
    dataset.tokens.insert(dataset.tokens.end(), part.tokens.begin(), part.tokens.end());
    for (const std::size_t end : part.ends) {
      dataset.offsets.push_back(static_cast<std::int64_t>(begin + end));
    }
  }
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

std::vector<std::int32_t> all_rows(const Dataset& dataset) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(dataset.size()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace sluice
