#include "kernels/device/instruction_set.h"

#include <cstdlib>
#include <string>

#include "kernels/base/error.h"

namespace sluice {
bool is_available([[maybe_unused]] InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline: return true;
#ifdef SLUICE_X86_64
    case InstructionSet::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case InstructionSet::avx512:
      return is_available(InstructionSet::avx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
#else
    default: return false;
#endif
  }
  return false;
}

namespace {

InstructionSet choose() {
  constexpr InstructionSet best_first[] = {InstructionSet::avx512, InstructionSet::avx2,
                                           InstructionSet::baseline};
  if (const char* wanted = std::getenv("SLUICE_INSTRUCTION_SET"); wanted != nullptr && *wanted) {
    for (const InstructionSet set : best_first) {
      if (wanted == std::string(name_of(set))) {
        require(is_available(set), std::string("SLUICE_INSTRUCTION_SET=") + wanted +
                                       ": this processor does not have it; unset the variable");
        return set;
      }
    }
    throw Error::usage(
        std::string("SLUICE_INSTRUCTION_SET: expected baseline, avx2 or avx512, got ") + wanted);
  }
  for (const InstructionSet set : best_first) {
    if (is_available(set)) return set;
  }
  return InstructionSet::baseline;
}

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet chosen = choose();
  return chosen;
}

}  // namespace sluice
