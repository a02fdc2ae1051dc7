#include "bench/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/suites/shape.h"
#include "bench/suites/suites.h"
#include "host/version.h"

namespace sluice::bench {

bool parse_options(int argc, char** argv, Options& options, int& status) {
  CLI::App app(
      "Measures Sluice's recurrent layers, kernels and training steps beside other libraries.\n"
      "Progress goes to standard error, the table to standard output.",
      "sluice-bench");
  app.set_version_flag("--version", std::string("sluice-bench ") + version);
  std::vector<std::string> suites = suite_names();
  suites.push_back(kShapeSuite);
  app.add_option("--suite", options.suites,
                 "One or more of: " + joined(suites) + "; default: all but " + kShapeSuite +
                     ", or with --shape that alone")
      ->delimiter(',')
      ->check(CLI::IsMember(suites));
  app.add_option(
         "--shape", options.shapes,
         "A problem of your own, as suite " + std::string(kShapeSuite) +
             "; may be given more than once: CELL,T100,B32[,I256],H256\n"
             "[,L2][,D2][,inference]; I is H where it is not given, and both passes are run")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--filter", options.filter,
                 "Only cases whose name has a match of this regular expression");
  app.add_option(
      "--cases", options.cases,
      "Exactly the cases named in this file, a line each, in its order; - is standard input");
  app.add_option("--device", options.device, "cpu, cuda, cuda:N or auto")->capture_default_str();
  app.add_option("--threads", options.threads,
                 "Threads of the CPU, for every implementation; 0: one a processor")
      ->check(CLI::NonNegativeNumber);
  const std::vector<std::string> types{"float32", "tf32", "bfloat16", "float16"};
  std::string type = "float32";
  app.add_option("--dtype", type,
                 joined(types) + "; tf32 is float32 with TF32 products, on CUDA alone")
      ->check(CLI::IsMember(types));
  app.add_option("--peers", options.peers,
                 "Implementations beside Sluice's own choice, separated by commas: onednn,\n"
                 "cudnn:ALGORITHM, sluice:ALGORITHM, or none; default: all libraries of the device")
      ->delimiter(',');
  app.add_option(
      "--algorithm", options.algorithm,
      "Sluice's algorithm instead of the engine's choice; own: its choice without cuDNN");
  app.add_flag("--small", options.small,
               "Shapes for a CPU of few cores: all suites within 10 minutes on 2");
  app.add_option("--min-time", options.sampling.min_seconds,
                 "Seconds that a repetition lasts at least")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--repeat", options.sampling.repetitions,
                 "Repetitions, of which the median is taken; with --small 7 of 0.03 s")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_flag(
      "!--no-graph", options.sampling.graphs,
      "On CUDA, launch layers kernel by kernel; else they are recorded and launched as graphs,\n"
      "cuDNN's too, where that can be");
  app.add_option(
      "--cache", options.cache_mib,
      "MiB of the last cache, over which inputs are rotated; default: as the machine says");
  app.add_option(
      "--out", options.out,
      "Write the results here, in Google Benchmark's JSON schema; replaced whole after each case");
  app.add_flag(
      "--append", options.append,
      "Keep what --out holds already; a case that is measured again replaces its old entries");
  app.add_option("--csv", options.csv, "Write a line for each median here");
  app.add_option(
         "--read", options.read,
         "Measure nothing: merge these result files (also pytorch_peer.py's), show the table,\n"
         "and write them as --out and --csv say")
      ->delimiter(',');
  app.add_option("--machine", options.machine, "The machine's name in the results");
  app.add_flag("--list", options.list, "Name the cases and measure nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      status = app.exit(error);
    } else {
      std::fprintf(stderr, "sluice-bench: %s; see sluice-bench --help\n", error.what());
      status = 2;
    }
    return false;
  }
  if (options.append && options.out.empty()) {
    std::fprintf(stderr, "sluice-bench: --append: expected a file to add to, as --out names\n");
    status = 2;
    return false;
  }
  if (options.small) {  // so that all suites end within ten minutes
    if (app.count("--min-time") == 0) options.sampling.min_seconds = 0.03;
    if (app.count("--repeat") == 0) options.sampling.repetitions = 7;
  }
  if (type == "tf32") options.math = MatrixMath::tf32;
  if (type == "bfloat16") options.data_type = DataType::bfloat16;
  if (type == "float16") options.data_type = DataType::float16;
  return true;
}

}  // namespace sluice::bench
