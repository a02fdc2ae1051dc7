#include "kernels/arrays/convert.h"

#include "tests/kernels/device_fixture.h"

namespace sluice::test {
namespace {

class Convert : public OnEachDevice {};
SLUICE_INSTANTIATE_ON_EACH_DEVICE(Convert);

template <class From, class To>
std::vector<To> converted(const Queue& queue, const std::vector<From>& numbers) {
  const GuardedBuffer from(queue, numbers), to(queue, numbers.size() * sizeof(To));
  convert(queue, {.count = static_cast<std::int64_t>(numbers.size()),
                  .from_type = type_of<From>,
                  .from = from.data(),
                  .to_type = type_of<To>,
                  .to = to.data()});
  EXPECT_TRUE(from.guards_intact() && to.guards_intact());
  return to.template get<To>();
}

template <class S>
void check(const Queue& queue) {
  auto wide = random_numbers<float>(5003);
  wide[0] = 1e30f;      // Inf as float16
  wide[1] = -0x1p-23f;  // subnormal as float16
  wide[2] = std::nanf("");
  wide[3] =
      1.0f + 0x1p-8f + 0x1p-11f;  // ties: of bfloat16 without its last bit, of float16 with it
  const auto narrowed = converted<float, S>(queue, wide);
  const auto back = converted<S, float>(queue, narrowed);
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const float expected = widen(narrow<S>(wide[i]));
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(back[i])) << i;
    } else {
      ASSERT_EQ(back[i], expected) << i << ": " << wide[i];
    }
  }
}

TEST_P(Convert, RoundsToNearestAndWidensExactly) {
  check<BFloat16>(queue());
  check<Float16>(queue());
}

TEST_P(Convert, TheSameTypeIsACopy) {
  const auto numbers = random_numbers<double>(77);
  EXPECT_EQ((converted<double, double>(queue(), numbers)), numbers);
  EXPECT_NO_THROW(convert(queue(), {}));
}

TEST(ConvertArguments, AreChecked) {
  float x[4] = {};
  ConvertArgs args = {.count = 2, .from = x, .to_type = DataType::bfloat16, .to = x + 2};
  args.from_type = DataType::float64;
  expect_usage_error([&] { convert({}, args); }, "float64");
  args.from_type = DataType::float16;
  expect_usage_error([&] { convert({}, args); }, "16-bit");
  args.from_type = DataType::float32;
  args.from = nullptr;
  expect_usage_error([&] { convert({}, args); }, "from");
}

}  // namespace
}  // namespace sluice::test
