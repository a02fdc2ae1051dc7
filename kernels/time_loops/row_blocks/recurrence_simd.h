// What kernels/time_loops/row_blocks/recurrence.cpp calls in each instruction set's namespace.
#pragma once

#include <cstddef>

#include "kernels/device/spin_wait.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {

/// What a thread takes through all steps: rows [first, first + count) of the batch, and of their
/// units the share of `member` among `members` that meet at `barrier`.
struct RecurrenceTask {
  std::int64_t first = 0, count = 0;
  int member = 0, members = 1;
  SpinBarrier* barrier = nullptr;  ///< null for a member alone
};

}  // namespace sluice

#define SLUICE_DECLARE_RECURRENCE(isa)                                                        \
  namespace isa {                                                                             \
  std::size_t recurrence_weight_bytes(const RecurrenceShape&);                                \
  std::size_t recurrence_scratch_bytes(const RecurrenceShape&, std::int64_t batch);           \
  /* Panels of weights of a pass: they are packed, and shared out, one by one. */             \
  std::int64_t forward_panels(const RecurrenceShape&);                                        \
  std::int64_t backward_panels(const RecurrenceShape&);                                       \
  void pack_forward_panel(const RecurrenceShape&, std::int64_t panel, const void* weight_hh,  \
                          void* packed);                                                      \
  void pack_backward_panel(const RecurrenceShape&, std::int64_t panel, const void* weight_hh, \
                           void* packed);                                                     \
  void forward_block(const RecurrenceForwardArgs&, const RecurrenceTask&);                    \
  void backward_block(const RecurrenceBackwardArgs&, const RecurrenceTask&);                  \
  }

namespace sluice {
SLUICE_DECLARE_RECURRENCE(isa_baseline)
SLUICE_DECLARE_RECURRENCE(isa_avx2)
SLUICE_DECLARE_RECURRENCE(isa_avx512)
}  // namespace sluice
