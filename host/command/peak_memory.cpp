#include "host/command/peak_memory.h"

#include <fstream>
#include <string>

namespace sluice {

std::size_t peak_resident_bytes() {
  // Not getrusage(): its ru_maxrss carries over what the process was before exec().
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kibibytes = 0;
    if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

}  // namespace sluice
