// Validation before the launches of kernels/time_loops/persistent/persistent.h.
#include "kernels/time_loops/persistent/persistent.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"
#include "kernels/cells/unit_draw_checks.h"

namespace sluice {
namespace {

[[noreturn]] void refuse_cpu(const char* operation) {
  throw Error::usage(std::string(operation) +
                     ": expected a CUDA queue, got a CPU one; on the CPU "
                     "recurrence_forward and recurrence_backward do this");
}

}  // namespace

namespace cpu {
namespace {

void persistent_pack(const Queue&, const PersistentFit&, const void*, void*) {
  refuse_cpu("persistent_pack");
}
void persistent_forward(const Queue&, const PersistentFit&, const PersistentForwardArgs*) {
  refuse_cpu("persistent_forward");
}
void persistent_backward(const Queue&, const PersistentFit&, const PersistentBackwardArgs*) {
  refuse_cpu("persistent_backward");
}

}  // namespace
}  // namespace cpu

namespace {

template <class Args>
void check(const char* operation, RecurrentPass pass, const PersistentFit& fit,
           const Args* directions) {
  const PersistentRequest& request = fit.request;
  require(fit.fits, std::string(operation) + ": " + name_of(request.kind) +
                        " does not fit: " + fit.why_not + "; use stepwise");
  require(request.pass == pass, std::string(operation) +
                                    ": fit: expected one of this pass, got the other pass's; ask "
                                    "persistent_fit() for each");
  require(request.directions == 1 || request.directions == 2,
          std::string(operation) + ": directions: expected 1 or 2, got " +
              std::to_string(request.directions));
  check_pointer(operation, "directions", directions);
  for (int d = 0; d < request.directions; ++d) {
    const auto& recurrence = directions[d].recurrence;
    require(recurrence.sequences.batch == request.batch,
            std::string(operation) + ": sequences.batch: expected the request's " +
                std::to_string(request.batch) + ", got " +
                std::to_string(recurrence.sequences.batch));
    check_draws(operation, recurrence.draws);
    require(recurrence.draws.on() == request.options,
            std::string(operation) +
                ": draws: expected a positive rate where the request has options, and none "
                "elsewhere");
    if (fit.kernel.matrix != PersistentMatrix::none)
      check_pointer(operation, "packed", recurrence.packed);
    if (spec_of(request.shape.cell).unit_weights > 0)
      check_pointer(operation, "unit_weights", recurrence.unit_weights);
    check_pointer(operation, "gates", recurrence.gates);
  }
}

}  // namespace

#ifdef SLUICE_WITH_CUDA
PersistentLimits persistent_limits() { return cuda::persistent_limits(); }
PersistentLimits persistent_limits(int device) { return cuda::persistent_limits(device); }
#else
PersistentLimits persistent_limits() { return {}; }
PersistentLimits persistent_limits(int) { return {}; }
#endif

int PersistentLimits::largest_cluster() const {
  for (int power = 4; power > 0; --power) {
    if (clusters[power] > 0) return 1 << power;
  }
  return 0;
}

void persistent_pack(const Queue& queue, const PersistentFit& fit, const void* weight_hh,
                     void* packed) {
  if (fit.kernel.matrix == PersistentMatrix::none) return;
  check_pointer("persistent_pack", "weight_hh", weight_hh);
  check_pointer("persistent_pack", "packed", packed);
  SLUICE_DISPATCH(persistent_pack, queue, fit, weight_hh, packed);
}

void persistent_forward(const Queue& queue, const PersistentFit& fit,
                        const PersistentForwardArgs* directions) {
  check("persistent_forward", RecurrentPass::forward, fit, directions);
  SLUICE_DISPATCH(persistent_forward, queue, fit, directions);
}

void persistent_backward(const Queue& queue, const PersistentFit& fit,
                         const PersistentBackwardArgs* directions) {
  check("persistent_backward", RecurrentPass::backward, fit, directions);
  SLUICE_DISPATCH(persistent_backward, queue, fit, directions);
}

}  // namespace sluice
