// The number types of the two sides of gather_rows and scatter_rows.
#pragma once

#include "kernels/base/number.h"

namespace sluice {

/// Calls body(From(), To()) with the C++ types of args.source and args.to (kernels/arrays/rows.h).
template <class Args, class Body>
void with_row_types(const Args& args, Body&& body) {
  with_number(args.type, [&]<class T>(T) {
    if (args.wide_source) {
      args.wide_to ? body(Wide<T>(), Wide<T>()) : body(Wide<T>(), T());
    } else {
      args.wide_to ? body(T(), Wide<T>()) : body(T(), T());
    }
  });
}

}  // namespace sluice
