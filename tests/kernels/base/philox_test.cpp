#include "kernels/base/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace sluice::test {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words words(const Philox::Block& block) {
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

// Random123's kat_vectors, lines "philox4x32 10".
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(words(Philox::draw({{0, 0, 0, 0}}, 0, 0)),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(words(Philox::draw({{ones, ones, ones, ones}}, ones, ones)),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(words(Philox::draw({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822,
                               0x299f31d0)),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformIsInTheHalfOpenInterval) {
  EXPECT_EQ(Philox::uniform(0), 0.0f);
  EXPECT_EQ(Philox::uniform(255), 0.0f);
  EXPECT_EQ(Philox::uniform(0x80000000), 0.5f);
  EXPECT_LT(Philox::uniform(0xffffffff), 1.0f);
  EXPECT_EQ(Philox::uniform(0xffffffff), 1.0f - std::ldexp(1.0f, -24));
}

TEST(RandomStream, CounterAndKeyAreAsDocumented) {
  const std::uint32_t step = 7;
  const RandomStream random{.seed = 0x0123456789abcdef, .stream = 3, .step = &step};
  EXPECT_EQ(words(random.block(11, 13, 17)),
            words(Philox::draw({{17, 13, 11, 7}}, 0x89abcdef, 0x01234567 ^ (3 * 0x9E3779B9u))));
}

TEST(RandomStream, NoStepMeansStepZero) {
  const std::uint32_t zero = 0;
  const RandomStream with{.seed = 5, .stream = 1, .step = &zero}, without{.seed = 5, .stream = 1};
  EXPECT_EQ(words(with.block(1, 2, 3)), words(without.block(1, 2, 3)));
}

}  // namespace
}  // namespace sluice::test
