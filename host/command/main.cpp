// The command `sluice`. Exit codes: 0; 1 for failures at run time; 2 for wrong usage or input; 130
// and 143 after saving on SIGINT and SIGTERM.
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <string>

#include "host/command/commands.h"
#include "host/command/standard_output.h"
#include "host/version.h"
#include "kernels/base/error.h"

namespace {

int parse_and_run(int argc, char** argv) {
  sluice::CommandLine line(
      "sluice",
      "Sluice trains recurrent networks on texts and other sequences, on CPUs and NVIDIA GPUs.",
      std::string("sluice ") + sluice::version);
  std::map<std::string, std::function<int()>> commands;
  commands["train"] = sluice::add_train_command(line);
  commands["eval"] = sluice::add_eval_command(line);
  commands["predict"] = sluice::add_predict_command(line);
  commands["info"] = sluice::add_info_command(line);
  const std::optional<std::string> chosen = line.parse(argc, argv);
  return chosen ? commands.at(*chosen)() : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that has gone away and a file grown too large are errors of the write, not deaths.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return parse_and_run(argc, argv);
  } catch (const sluice::Error& error) {
    sluice::write_note(error.what());
    return error.kind() == sluice::Error::Kind::usage ? 2 : 1;
  } catch (const std::bad_alloc&) {
    sluice::write_note("out of memory; use a smaller --batch, --max-length or model");
    return 1;
  } catch (const std::exception& error) {
    sluice::write_note(std::string("unexpected failure: ") + error.what());
    return 1;
  }
}
