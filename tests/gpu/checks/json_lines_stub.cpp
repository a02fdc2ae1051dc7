// Cases that pass, fail, throw, are skipped, write lines of their own, hang, crash and break a
// made-up device; for the tests of json_lines.h and of what reads it. Needs no GPU. --no-gpu: as
// without one.
#include "tests/gpu/programs/json_lines.h"

#include <chrono>
#include <csignal>
#include <limits>
#include <thread>

int main(int argc, char** argv) {
  using namespace sluice::test;
  bool broken = false, gpu = true;
  std::string word = "nothing";
  LineProgram program{"json_lines_stub", "made-up cases"};
  program.options = {
      {"--no-gpu", "", "behave as without a GPU", [&](const std::string&) { gpu = false; }},
      {"--say", "WORD", "what passes says", [&](const std::string& text) {
         if (text.empty()) throw std::invalid_argument("--say: expected a word, got ''");
         word = text;
       }}};
  program.cases = [&]() -> std::vector<LineCase> {
    return {{"passes",
             [&](JsonLines&) {
               return CaseResult{CaseResult::passed, word};
             }},
            {"parts",
             [](JsonLines& lines) {
               lines.write("parts/first", {CaseResult::passed, "one"});
               lines.write("parts/second", {CaseResult::failed, "two"});
               CaseResult all{CaseResult::passed, "both"};
               all.more.add("values", JsonFields().add("a", 0.1).add(
                                          "b", std::numeric_limits<double>::quiet_NaN()));
               return all;
             }},
            {"fails",
             [](JsonLines&) {
               return CaseResult{CaseResult::failed, "a \"quoted\"\nline\x01\xC3\xA9"};
             }},
            {"throws", [](JsonLines&) -> CaseResult { throw std::runtime_error("thrown"); }},
            {"skips",
             [](JsonLines&) {
               return CaseResult{CaseResult::skipped, "not here"};
             }},
            {"breaks",
             [&](JsonLines&) {
               broken = true;
               return CaseResult{CaseResult::passed, "so it thinks"};
             }},
            {"hangs",
             [](JsonLines&) -> CaseResult {
               for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
             }},
            {"crashes",
             [](JsonLines&) -> CaseResult {
               std::raise(SIGKILL);
               return {};
             }},
            {"last", [](JsonLines&) { return CaseResult{}; }}};
  };
  program.why_skipped = [&] { return std::string(gpu ? "" : "no GPU"); };
  program.why_broken = [&] { return std::string(broken ? "made up" : ""); };
  return run_line_program(argc, argv, program);
}
