// Names that no language has: the rare words of the built-in reviews.
#pragma once

#include <cstdint>
#include <string>

#include "host/data/random_sequence.h"

namespace sluice {

/// The number of different invented words.
constexpr std::uint32_t max_invented_words = 10'000'000;

/// Word number i, capitalised, such as "Rovilm"; different for each i < max_invented_words.
std::string invented_word(std::uint32_t i);

/// A number in [0, count) by Zipf's law in steps of octaves: counted from 1, each of 1, 2-3, 4-7,
/// 8-15, ... is as likely as the next. Integers alone, so that no machine rounds otherwise.
std::uint32_t draw_by_zipf(RandomSequence& random, std::uint32_t count);

}  // namespace sluice
