// All device memory of a model in one list, so that none is forgotten where all is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "host/buffer.h"

namespace sluice {

class DeviceMemory {
 public:
  /// A further buffer, empty until its owner reserves it. Its address stands.
  Buffer& add() { return buffers_.emplace_back(); }

  std::size_t bytes() const {
    std::size_t total = 0;
    for (const Buffer& buffer : buffers_) total += buffer.bytes();
    return total;
  }

  /// Where each buffer's memory is: what launches are given.
  void append_addresses(std::vector<std::int64_t>& numbers) const {
    for (const Buffer& buffer : buffers_) {
      numbers.push_back(static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(buffer.data())));
    }
  }

 private:
  std::deque<Buffer> buffers_;
};

}  // namespace sluice
