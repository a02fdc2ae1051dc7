// The weights of a pass and their gradients, by name.
#pragma once

#include "host/network/parameters.h"

namespace sluice {

/// Borrowed: two flat buffers on the device, laid out alike.
struct Weights {
  const ParameterLayout* layout = nullptr;
  const float* values = nullptr;
  float* gradients = nullptr;  ///< null outside of training

  /// Errors: usage when there is no such tensor.
  const float* value(const char* name) const { return values + layout->view(name).offset; }
  float* gradient(const char* name) const { return gradients + layout->view(name).offset; }
};

/// Memory on the device that a pass may write to and that holds nothing between its launches.
struct Workspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

}  // namespace sluice
