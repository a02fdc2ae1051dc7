// What the command line of sluice-bench asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/measure/sampling.h"
#include "kernels/base/types.h"

namespace sluice::bench {

struct Options {
  std::vector<std::string> suites;  ///< empty: all
  std::string filter;               ///< regular expression, found anywhere in suite/problem
  std::string cases;                ///< a file of exact names, "-" for standard input; empty: all
  std::vector<std::string> shapes;  ///< the cases of suite `shape`, see suites/shape.h
  std::string device = "auto";
  int threads = 0;  ///< of the CPU; 0: one a processor
  DataType data_type = DataType::float32;
  MatrixMath math = MatrixMath::ieee;
  std::vector<std::string> peers;  ///< names, see peers/peer_list.h; empty: all of the device
  std::string algorithm;           ///< Sluice's own; empty: the engine's choice
  std::int64_t cache_mib = -1;  ///< of the last cache, over which inputs are rotated; -1: as found
  bool small = false;           ///< shapes for a CPU of few cores
  bool list = false;
  SamplingOptions sampling;
  std::string out, csv;           ///< files; empty: none
  bool append = false;            ///< keep what `out` holds already
  std::vector<std::string> read;  ///< result files to show instead of measuring
  std::string machine;            ///< its name in the report; empty: the processor's or GPU's
};

/// False when `status` is to be the process's exit code at once (--help, --version, or wrong usage,
/// which has been reported on standard error).
bool parse_options(int argc, char** argv, Options& options, int& status);

}  // namespace sluice::bench
