// The one error type of Sluice.
//
// Public API.
#pragma once

#include <stdexcept>
#include <string>

namespace sluice {

/// Thrown by every layer of the library. The message names the argument or file, what was
/// expected, what came, and the remedy. Nothing in the library calls exit().
class Error : public std::runtime_error {
 public:
  /// What the caller can do about it; the command turns it into its exit code.
  enum class Kind {
    usage,    ///< wrong arguments or wrong input: exit code 2
    runtime,  ///< the machine, a file system or a library failed: exit code 1
  };

  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  Kind kind() const noexcept { return kind_; }

  static Error usage(const std::string& message) { return {Kind::usage, message}; }
  static Error runtime(const std::string& message) { return {Kind::runtime, message}; }

 private:
  Kind kind_;
};

/// Throws a usage error unless `condition` holds.
inline void require(bool condition, const std::string& message) {
  if (!condition) throw Error::usage(message);
}

}  // namespace sluice
