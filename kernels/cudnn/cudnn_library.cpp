#ifdef SLUICE_WITH_CUDNN
#include "kernels/cudnn/cudnn_library.h"

#include <dlfcn.h>

#include <string>

#include "kernels/base/error.h"

#ifndef SLUICE_CUDNN_LIBRARY  // tests name another one
#define SLUICE_CUDNN_LIBRARY "libcudnn.so.9"
#endif

namespace sluice::cuda {
namespace {

CudnnLibrary load() {
  CudnnLibrary found;
  const auto give_up = [&](const std::string& problem) {
    found = CudnnLibrary();
    found.presence.problem = problem + "; install cuDNN " + std::to_string(CUDNN_MAJOR) +
                             " or put its folder into LD_LIBRARY_PATH";
    return found;
  };
  void* const library = dlopen(SLUICE_CUDNN_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    return give_up(std::string("cuDNN does not load (") +
                   (reason == nullptr ? SLUICE_CUDNN_LIBRARY : reason) + ")");
  }
#define SLUICE_CUDNN_FIND(name)                                               \
  found.name = reinterpret_cast<decltype(found.name)>(dlsym(library, #name)); \
  if (found.name == nullptr) return give_up("cuDNN has no function " #name);
  SLUICE_CUDNN_FUNCTIONS(SLUICE_CUDNN_FIND)
#undef SLUICE_CUDNN_FIND
  const int version = static_cast<int>(found.cudnnGetVersion());
  if (version / 10000 != CUDNN_MAJOR) {
    return give_up("cuDNN is version " + cudnn_version_text(version) + ", this build is for " +
                   std::to_string(CUDNN_MAJOR));
  }
  found.presence.version = version;
  return found;
}

}  // namespace

const CudnnLibrary& cudnn_library() {
  static const CudnnLibrary library = load();  // stays loaded until the process ends
  return library;
}

const CudnnLibrary& require_cudnn() {
  const CudnnLibrary& library = cudnn_library();
  require(library.presence.problem.empty(),
          "algorithm cudnn: " + library.presence.problem + ", or use another algorithm");
  return library;
}

bool is_refusal(cudnnStatus_t status) {
  const int code = static_cast<int>(status);
  return code >= 2000 && code < 4000;  // BAD_PARAM..., NOT_SUPPORTED...
}

std::string words_for(cudnnStatus_t status) {
  const CudnnLibrary& library = cudnn_library();
  char detail[512] = "";
  library.cudnnGetLastErrorString(detail, sizeof detail);
  std::string words = std::string(library.cudnnGetErrorString(status)) + " (cuDNN status " +
                      std::to_string(static_cast<int>(status)) + ")";
  if (detail[0] != '\0') words += std::string(": ") + detail;
  return words;
}

void throw_failure(cudnnStatus_t status, const std::string& failure) {
  if (is_refusal(status)) {
    throw Error::usage(failure +
                       "; use cudnn_standard, which takes most, or an algorithm of Sluice's own");
  }
  throw Error::runtime(failure + "; use another algorithm, or check the device with nvidia-smi");
}

void check(cudnnStatus_t status, const std::string& action) {
  if (status != CUDNN_STATUS_SUCCESS)
    throw_failure(status, action + " failed: " + words_for(status));
}

}  // namespace sluice::cuda
#endif
