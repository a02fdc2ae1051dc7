#include "host/command/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "kernels/base/error.h"

namespace sluice {

void write_line(const std::string& line) {
  const bool written = std::fwrite(line.data(), 1, line.size(), stdout) == line.size() &&
                       std::fputc('\n', stdout) != EOF && std::fflush(stdout) == 0;
  if (!written) {
    const int reason = errno;
    std::clearerr(stdout);
    throw Error::runtime(std::string("cannot write to standard output: ") + std::strerror(reason));
  }
}

void write_note(const std::string& text) { std::fprintf(stderr, "sluice: %s\n", text.c_str()); }

}  // namespace sluice
