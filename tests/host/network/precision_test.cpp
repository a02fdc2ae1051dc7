#include "host/network/precision.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TEST(Precision, NamesAreRead) {
  EXPECT_EQ(data_type_from_name("float32"), DataType::float32);
  EXPECT_EQ(data_type_from_name("bfloat16"), DataType::bfloat16);
  EXPECT_EQ(data_type_from_name("float16"), DataType::float16);
  for (const char* name : {"float64", "half", ""}) EXPECT_THROW(data_type_from_name(name), Error);
}

TEST(Precision, Float64AndTf32OfAnotherTypeAreRefused) {
  EXPECT_NO_THROW((Precision{DataType::float32, MatrixMath::tf32}.validate()));
  EXPECT_NO_THROW((Precision{DataType::float16, MatrixMath::ieee}.validate()));
  EXPECT_THROW((Precision{DataType::float16, MatrixMath::tf32}.validate()), Error);
  EXPECT_THROW((Precision{DataType::float64, MatrixMath::ieee}.validate()), Error);
}

}  // namespace
}  // namespace sluice
