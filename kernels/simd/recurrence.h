// What kernels/recurrence.cpp calls in each instruction set's namespace.
#pragma once

#include <cstddef>

#include "kernels/recurrence.h"

#define SLUICE_DECLARE_RECURRENCE(isa)                                                   \
  namespace isa {                                                                        \
  std::size_t recurrence_weight_bytes(const RecurrenceShape&);                           \
  std::size_t recurrence_scratch_bytes(const RecurrenceShape&, std::int64_t batch);      \
  void pack_forward_weights(const RecurrenceShape&, const void* weight_hh, void* packed); \
  void pack_backward_weights(const RecurrenceShape&, const void* weight_hh, void* packed); \
  /* Rows [first, first + count) of the batch, all steps. */                              \
  void forward_block(const RecurrenceForwardArgs&, std::int64_t first, std::int64_t count); \
  void backward_block(const RecurrenceBackwardArgs&, std::int64_t first, std::int64_t count); \
  }

namespace sluice {
SLUICE_DECLARE_RECURRENCE(isa_baseline)
SLUICE_DECLARE_RECURRENCE(isa_avx2)
SLUICE_DECLARE_RECURRENCE(isa_avx512)
}  // namespace sluice
