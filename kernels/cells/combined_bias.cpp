#include "kernels/cells/combined_bias.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"

namespace sluice {

void combine_biases(const Queue& queue, const CombineBiasesArgs& args) {
  check_least("combine_biases", "hidden_size", args.hidden_size);
  if (args.hidden_size == 0) return;
  check_pointer("combine_biases", "bias_ih", args.bias_ih);
  check_pointer("combine_biases", "bias_hh", args.bias_hh);
  check_pointer("combine_biases", "out", args.out);
  SLUICE_DISPATCH(combine_biases, queue, args);
}

}  // namespace sluice
