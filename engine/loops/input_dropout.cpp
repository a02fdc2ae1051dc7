#include "engine/loops/input_dropout.h"

#include "kernels/sequences/dropout.h"

namespace sluice {

void drop_input(const Queue& queue, const InputDropoutArgs& args) {
  const auto layer = static_cast<std::uint32_t>(args.layer);
  dropout_rows(queue, {.type = args.config.data_type,
                       .sequences = args.sequences,
                       .begin = args.begin,
                       .end = args.end,
                       .columns = input_size_of(args.config, args.layer),
                       .rate = input_dropout_rate(args.config, args.layer, args.drops),
                       .random = {args.seed, layer * 4, args.step},
                       .x = args.x,
                       .y = args.y});
}

}  // namespace sluice
