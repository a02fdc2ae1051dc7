#include "engine/choice/gpu_rates.h"

#include <gtest/gtest.h>

#include "kernels/base/error.h"

namespace sluice {
namespace {

TEST(GpuRates, AreKnownByName) {
  for (const std::string& name : known_gpus()) {
    EXPECT_GT(rates_named(name).multiprocessors, 0) << name;
  }
  EXPECT_EQ(rates_named("h200").name, h200_rates().name);
  EXPECT_EQ(rates_named("h100").bandwidth, h100_rates().bandwidth);
}

TEST(GpuRates, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  try {
    static_cast<void>(rates_named("a100"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(std::string(error.what()).find("'a100'; expected one of h200, h100"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace sluice
