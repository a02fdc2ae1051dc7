// Which vector instructions the CPU kernels use in this process.
//
// Public API.
#pragma once

namespace sluice {

/// Each *_simd.cpp is compiled once for each of these.
enum class InstructionSet { baseline, avx2, avx512 };

constexpr const char* name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::baseline: return "baseline";
    case InstructionSet::avx2: return "avx2";
    case InstructionSet::avx512: return "avx512";
  }
  return "?";
}

/// Whether this processor can run it.
bool is_available(InstructionSet set);

/// The best one this processor has, found once; the environment variable SLUICE_INSTRUCTION_SET
/// (baseline, avx2, avx512) asks for a lesser one. Errors: usage if it names one that is unknown
/// or that the processor lacks.
InstructionSet instruction_set();

}  // namespace sluice

// Calls isa_<set>::function(...) of the chosen instruction set.
#ifdef SLUICE_X86_64
#define SLUICE_DISPATCH_ISA(function, ...)                         \
  (::sluice::instruction_set() == ::sluice::InstructionSet::avx512 \
       ? isa_avx512::function(__VA_ARGS__)                         \
   : ::sluice::instruction_set() == ::sluice::InstructionSet::avx2 \
       ? isa_avx2::function(__VA_ARGS__)                           \
       : isa_baseline::function(__VA_ARGS__))
#else
#define SLUICE_DISPATCH_ISA(function, ...) (isa_baseline::function(__VA_ARGS__))
#endif
