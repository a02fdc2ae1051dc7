// cudaLaunchKernelEx: one typed call of the kernel for each thread.
#pragma once

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda_on_cpu/language.h"
#include "cuda_on_cpu/streams.h"

namespace cuda_on_cpu {

/// The configuration as cudaLaunchKernelEx takes it. Returns a cudaError_t.
cudaError_t execute(const cudaLaunchConfig_t& config, const void* kernel, void (*run)(void*),
                    void* arguments);

/// Blocks of a cooperative launch; 0 of any other.
unsigned cooperative_blocks(const cudaLaunchConfig_t& config);

}  // namespace cuda_on_cpu

/// The arguments are converted once, as a launch copies them; each thread gets its own copies.
template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
    cudaLaunchConfig_t config;
    std::vector<cudaLaunchAttribute> attributes;

    cudaError_t run() {
      config.attrs = attributes.data();
      return cuda_on_cpu::execute(
          config, reinterpret_cast<const void*>(kernel),
          [](void* erased) {
            const Call& of = *static_cast<Call*>(erased);
            std::apply(of.kernel, of.arguments);
          },
          this);
    }
  };
  const auto call = std::make_shared<Call>(
      Call{kernel, std::tuple<Parameters...>(std::forward<Arguments>(arguments)...), *config,
           std::vector<cudaLaunchAttribute>(config->attrs, config->attrs + config->numAttrs)});
  return cuda_on_cpu::submit(
      config->stream, {cuda_on_cpu::NodeKind::kernel, reinterpret_cast<const void*>(kernel),
                       [call] { return call->run(); }, cuda_on_cpu::cooperative_blocks(*config)});
}
