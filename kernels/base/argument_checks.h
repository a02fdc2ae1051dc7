// The checks that every operation makes before it launches. A message is only built when one fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/base/error.h"
#include "kernels/base/types.h"

namespace sluice {

/// Errors: usage unless value >= least, naming operation and field.
inline void check_least(const char* operation, const char* field, std::int64_t value,
                        std::int64_t least = 0) {
  if (value < least) {
    throw Error::usage(std::string(operation) + ": " + field + ": expected at least " +
                       std::to_string(least) + ", got " + std::to_string(value));
  }
}

inline void check_pointer(const char* operation, const char* field, const void* pointer) {
  if (pointer == nullptr) {
    throw Error::usage(std::string(operation) + ": " + field +
                       ": expected a pointer to memory of the queue's device, got null");
  }
}

/// Errors: usage unless least <= value < below (NaN fails).
inline void check_range(const char* operation, const char* field, double value, double least,
                        double below) {
  if (!(value >= least && value < below)) {
    throw Error::usage(std::string(operation) + ": " + field + ": expected at least " +
                       std::to_string(least) + " and below " + std::to_string(below) + ", got " +
                       std::to_string(value));
  }
}

inline void check_positive(const char* operation, const char* field, double value) {
  if (!(value > 0.0)) {
    throw Error::usage(std::string(operation) + ": " + field +
                       ": expected a positive number, got " + std::to_string(value));
  }
}

inline void check_workspace(const char* operation, const void* workspace, std::size_t bytes,
                            std::size_t needed) {
  if (needed != 0 && (workspace == nullptr || bytes < needed)) {
    throw Error::usage(std::string(operation) + ": workspace: expected at least " +
                       std::to_string(needed) + " bytes, got " +
                       (workspace == nullptr ? "null" : std::to_string(bytes)) + "; ask " +
                       operation + "'s workspace function for the size");
  }
}

/// For operations on what optimisers keep, which has no 16-bit form.
inline void check_wide(const char* operation, DataType type) {
  if (is_16_bit(type)) {
    throw Error::usage(std::string(operation) + ": type: expected float32 or float64, got " +
                       name_of(type) + "; gradients and weights of an optimiser are float32");
  }
}

}  // namespace sluice
