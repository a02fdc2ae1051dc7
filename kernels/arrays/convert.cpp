#include "kernels/arrays/convert.h"

#include "kernels/base/argument_checks.h"
#include "kernels/base/dispatch.h"
#include "kernels/device/device.h"

namespace sluice {

void convert(const Queue& queue, const ConvertArgs& args) {
  check_least("convert", "count", args.count);
  require(state_type(args.from_type) == state_type(args.to_type),
          std::string("convert: expected 16-bit types and float32, or twice the same type, got ") +
              name_of(args.from_type) + " and " + name_of(args.to_type));
  require(args.from_type == args.to_type || !is_16_bit(args.from_type) || !is_16_bit(args.to_type),
          "convert: expected no more than one 16-bit type; go by way of float32");
  if (args.count == 0) return;
  check_pointer("convert", "from", args.from);
  check_pointer("convert", "to", args.to);
  if (args.from_type == args.to_type) {
    return copy(queue, args.to, args.from,
                static_cast<std::size_t>(args.count) * size_of(args.to_type));
  }
  SLUICE_DISPATCH(convert, queue, args);
}

}  // namespace sluice
