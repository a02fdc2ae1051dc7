#include "bench/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace sluice::bench {
namespace {

Options quick() {
  Options options;
  options.device = "cpu";
  options.threads = 1;
  options.cache_mib = 1;
  options.peers = {"none"};
  options.sampling = {.min_seconds = 1e-5, .repetitions = 3, .graphs = true};
  return options;
}

const nlohmann::ordered_json* entry_of(const Session& session, const std::string& name) {
  for (const auto& each : const_cast<Session&>(session).report().document()["benchmarks"]) {
    if (each["name"] == name) return &each;
  }
  return nullptr;
}

TEST(Session, AnErrorWhileTimingIsOneEntry) {
  Session session(quick());
  std::vector<double> seen;
  const Pass sound = [](std::uint64_t) {};
  const Pass bad = [](std::uint64_t pass) {
    if (pass == 3) throw std::runtime_error("the third");
  };
  session.measure({{"s", "p", "sluice"}, {"s", "p", "bad"}, {"s", "p", "last"}},
                  {sound, bad, sound},
                  [&](std::vector<Entry>&, const std::vector<double>& medians) { seen = medians; });
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_FALSE(std::isnan(seen[0]));
  EXPECT_TRUE(std::isnan(seen[1]));
  EXPECT_FALSE(std::isnan(seen[2]));
  EXPECT_EQ(session.failures(), 1);
  EXPECT_NE(entry_of(session, "s/p/sluice_median"), nullptr);
  EXPECT_NE(entry_of(session, "s/p/last_median"), nullptr);
  EXPECT_EQ(entry_of(session, "s/p/bad_median"), nullptr);
  const nlohmann::ordered_json* const error = entry_of(session, "s/p/bad");
  ASSERT_NE(error, nullptr);
  EXPECT_EQ((*error)["error_occurred"], true);
  EXPECT_EQ((*error)["error_message"], "failed while it was timed: the third");
}

TEST(Session, ACaseThatFailsWholeHasAnEntry) {
  Session session(quick());
  session.add_failure("imdb", "step", "no memory");
  EXPECT_EQ(session.failures(), 1);
  const nlohmann::ordered_json* const error = entry_of(session, "imdb/step/sluice");
  ASSERT_NE(error, nullptr);
  EXPECT_EQ((*error)["error_message"], "no memory");
}

}  // namespace
}  // namespace sluice::bench
