// The instruction sets that a test of SIMD code runs with: all that this processor has.
#pragma once

#include <vector>

#include "kernels/device/instruction_set.h"

namespace sluice::test {

/// One of isa_<set>::function for each of them.
template <class Function>
struct InEachSet {
  Function baseline, avx2, avx512;

  Function of(InstructionSet set) const {
    return set == InstructionSet::avx512 ? avx512 : set == InstructionSet::avx2 ? avx2 : baseline;
  }
};

#ifdef SLUICE_X86_64
#define SLUICE_IN_EACH_SET(function)                                    \
  ::sluice::test::InEachSet<decltype(&isa_baseline::function)> {        \
    &isa_baseline::function, &isa_avx2::function, &isa_avx512::function \
  }
#else
#define SLUICE_IN_EACH_SET(function)                             \
  ::sluice::test::InEachSet<decltype(&isa_baseline::function)> { \
    &isa_baseline::function, nullptr, nullptr                    \
  }
#endif

inline std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets;
  for (const InstructionSet set :
       {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
    if (is_available(set)) sets.push_back(set);
  }
  return sets;
}

}  // namespace sluice::test
