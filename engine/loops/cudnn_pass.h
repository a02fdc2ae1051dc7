// The passes of a plan whose algorithm is cuDNN's: what is cuDNN's own work stays in
// kernels/cudnn/cudnn_rnn.h; here are the order of rows, dropout on inputs, and the division of
// memory.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/loops/carver.h"
#include "engine/recurrent.h"
#include "kernels/cudnn/cudnn_rnn.h"

namespace sluice {

/// Why cuDNN's recurrent layers cannot do what `config` asks for; empty if they can. Says nothing
/// of whether the library is there: cudnn_presence() does.
std::string why_cudnn_cannot(const RecurrentConfig& config);

class CudnnPass {
 public:
  /// Errors: usage when cuDNN cannot do it or is not there.
  CudnnPass(const RecurrentConfig& config, Algorithm algorithm);

  std::size_t workspace_bytes(const PassShape& shape) const;
  std::size_t reserve_bytes(const PassShape& shape) const;
  void forward(const Queue& queue, const RecurrentForwardArgs& args) const;
  void backward(const Queue& queue, const RecurrentBackwardArgs& args) const;

  /// A line: which of cuDNN's algorithms, its version, and what it promises.
  std::string explain(const PassShape& shape) const;

 private:
  /// Layers [first_layer, ...) in one call. With dropout between layers each layer is a stack.
  struct Stack {
    int first_layer;
    std::int64_t parameters;  ///< offset of its first one
    CudnnRnn rnn;
  };
  /// What lies between forward and backward; in inference it is part of the workspace.
  struct StackReserve {
    void* weights = nullptr;  ///< in cuDNN's arrangement
    void* reserve = nullptr;
    void* input = nullptr;   ///< [N, in] after dropout, or of a shared input; else null
    void* output = nullptr;  ///< [N, D*H]; the last stack's is the caller's y: null
  };
  struct Workspace;

  std::vector<StackReserve> divide_reserve(Carver& carver, const PassShape& shape) const;

  RecurrentConfig config_;
  std::vector<Stack> stacks_;
};

}  // namespace sluice
