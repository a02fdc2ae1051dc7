#include "bench/report/report.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

const Samples times{.iterations = 1, .real = {1e-6, 2e-6}, .cpu = {1e-6, 2e-6}};

Report of_machine(const std::string& machine) {
  return Report({{"machine", machine}, {"device", "cuda:0"}, {"peers", {{"sluice", "2"}}}});
}

std::vector<std::string> summaries(const Report& report) {
  std::vector<std::string> names;
  for (const auto& each : report.summaries()) {
    names.push_back(each["case"].get<std::string>() + " by " +
                    each["implementation"].get<std::string>() +
                    (each.value("error_occurred", false) ? " failed" : ""));
  }
  return names;
}

TEST(Report, ACaseMeasuredAgainReplacesItsOldEntries) {
  Report old({{"machine", "A"}, {"device", "cuda:0"}, {"peers", {{"cudnn:standard", "9"}}}});
  old.add({"s", "a", "sluice"}, times);
  old.add_error({"s", "a", "cudnn:standard"}, "refused");
  old.add({"s", "a/L2", "sluice"}, times);  // whose name begins like the other's
  Report report = of_machine("A");
  report.begin_with(old, "old.json");
  EXPECT_EQ(summaries(report),
            (std::vector<std::string>{"s/a by sluice", "s/a by cudnn:standard failed",
                                      "s/a/L2 by sluice"}));
  report.add({"s", "a", "sluice"}, times);
  report.add({"s", "a", "onednn"}, times);
  report.add({"s", "b", "sluice"}, times);
  EXPECT_EQ(summaries(report), (std::vector<std::string>{"s/a/L2 by sluice", "s/a by sluice",
                                                         "s/a by onednn", "s/b by sluice"}));
  EXPECT_EQ(report.context()["peers"],
            (nlohmann::ordered_json{{"sluice", "2"}, {"cudnn:standard", "9"}}));
  std::map<int, std::string> cases;  // by the number of the family
  for (const auto& each : report.document()["benchmarks"]) {
    const std::string name = each["run_name"], of = name.substr(0, name.rfind('/'));
    EXPECT_EQ(cases.emplace(each["family_index"], of).first->second, of);
  }
  EXPECT_EQ(cases.size(), 3u);
}

TEST(Report, OtherMachinesResultsAreNotAddedTo) {
  const Report old = of_machine("B");
  Report report = of_machine("A");
  try {
    report.begin_with(old, "old.json");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::usage);
    EXPECT_NE(
        std::string(error.what()).find("old.json holds results of machine \"B\", this is \"A\""),
        std::string::npos)
        << error.what();
  }
}

TEST(Report, AMessageThatIsNoTextIsWritten) {
  const std::filesystem::path path = testing::TempDir() + "report_test.json";
  Report report = of_machine("A");
  report.add_error({"s", "a", "sluice"}, "bytes \xFF\xFE");
  report.write_json(path.string());
  EXPECT_EQ(Report::read({path.string()}).summaries().size(), 1u);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sluice::bench
