#include "kernels/device/trace_range.h"

#ifdef SLUICE_WITH_CUDA

#include <nvtx3/nvToolsExt.h>

#include <cstdio>

namespace sluice {

TraceRange::TraceRange(const char* name) { nvtxRangePushA(name); }

TraceRange::TraceRange(const char* cell, const char* pass, int layer, bool reverse) {
  char name[96];
  std::snprintf(name, sizeof name, "%s %s, layer %d%s", cell, pass, layer,
                reverse ? " reverse" : "");
  nvtxRangePushA(name);
}

TraceRange::~TraceRange() { nvtxRangePop(); }

}  // namespace sluice

#else

namespace sluice {

TraceRange::TraceRange(const char*) {}
TraceRange::TraceRange(const char*, const char*, int, bool) {}
TraceRange::~TraceRange() = default;

}  // namespace sluice

#endif
