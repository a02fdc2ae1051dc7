// What a launch that fails says.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string>

#include "cuda_on_cpu/schedule.h"
#include "runtime/grid.h"
#include "runtime/sanitizers.h"

namespace cuda_on_cpu {
namespace {

std::string& failure() {
  static std::string text;
  return text;
}

void record_failure(Site site, const char* format, va_list arguments) {
  char message[700];
  int length = std::vsnprintf(message, sizeof message, format, arguments);
  length = std::min<int>(length, sizeof message - 1);
  if (site.file != nullptr) {
    length += std::snprintf(message + length, sizeof message - length, ", at %s:%d", site.file,
                            site.line);
    length = std::min<int>(length, sizeof message - 1);
  }
  if (running != nullptr) {
    const Coordinates& at = running->coordinates;
    std::snprintf(message + length, sizeof message - length,
                  ", block (%u, %u, %u), thread (%u, %u, %u)", at.block_index.x, at.block_index.y,
                  at.block_index.z, at.thread_index.x, at.thread_index.y, at.thread_index.z);
  }
  const HiddenFromRaces hidden;
  failure() = message;
  grid->failed = true;
}

}  // namespace

const std::string& last_failure() { return failure(); }

void keep_failure(const std::string& text) { failure() = text; }

void fail(Site site, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record_failure(site, format, arguments);
  va_end(arguments);
  running->fiber->finish();  // this fiber and all others of the launch are dropped
}

void report_failure(Site site, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record_failure(site, format, arguments);
  va_end(arguments);
}

}  // namespace cuda_on_cpu
