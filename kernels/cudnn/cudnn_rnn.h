// Recurrent layers by cuDNN: a stack of them, in one or both directions, forward and backward.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"
#include "kernels/cudnn/cudnn.h"

namespace sluice {

/// Device memory of the configuration's type. x, y and their gradients are packed as `sequences`
/// says; states are [L*D, B, H] by sorted row, index layer*D + direction, and null means zeros, or
/// not wanted.
struct CudnnForwardArgs {
  Sequences sequences;
  bool training = true;
  const void* weights = nullptr;  ///< from load_weights
  const void* x = nullptr;        ///< [N, I]
  const void* h0 = nullptr;
  const void* c0 = nullptr;  ///< LSTM
  void* y = nullptr;         ///< [N, D*H]
  void* h_n = nullptr;
  void* c_n = nullptr;  ///< LSTM
  void* workspace = nullptr;
  void* reserve = nullptr;  ///< training: kept for backward
};

struct CudnnBackwardArgs {
  Sequences sequences;
  const void* weights = nullptr;
  const void* x = nullptr;
  const void* h0 = nullptr;
  const void* c0 = nullptr;
  const void* y = nullptr;
  const void* dy = nullptr;  ///< [N, D*H] never null
  const void* dh_n = nullptr;
  const void* dc_n = nullptr;
  void* dx = nullptr;  ///< [N, I] never null
  void* dh0 = nullptr;
  void* dc0 = nullptr;
  void* d_weights = nullptr;  ///< like `weights`, overwritten; null if not wanted
  void* workspace = nullptr;
  void* reserve = nullptr;  ///< as forward left it; consumed
};

/// Owns cuDNN's handle and descriptors, made at the first call, on the device that is current
/// then; device memory comes from the caller. May be used from several threads, one at a time.
/// float32 is computed in IEEE float32, or in TF32 where `math` asks for it; 16-bit types are added
/// up in float32, while states and the gradients of weights are of the type itself. cuDNN promises
/// the same bits from run to run only with CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment.
///
/// Where `best` stands for another algorithm than the standard one, and cuDNN refuses a call or
/// fails in it, that batch runs by the standard one from then on. A backward pass needs the reserve
/// of its own algorithm: where it has to change, it first repeats the forward pass from the
/// arguments that it has.
class CudnnRnn {
 public:
  /// Errors: usage when cuDNN is not there or does not have the cell.
  explicit CudnnRnn(const CudnnRnnConfig& config);
  ~CudnnRnn();
  CudnnRnn(CudnnRnn&&) noexcept;

  const CudnnRnnConfig& config() const { return config_; }

  /// Of every buffer, for batches of these T and B whatever their rows' lengths.
  struct Bytes {
    std::size_t weights = 0, workspace = 0, reserve = 0;
    std::size_t repeated_y =
        0;  ///< the last part of `workspace`, for a forward pass that is repeated
  };
  Bytes bytes(std::int32_t steps, std::int32_t batch, bool training) const;

  /// What batches of this kind run by, and why it is not what cudnn_best() says, if it is not.
  struct Choice {
    CudnnAlgorithm algorithm = CudnnAlgorithm::standard;
    std::string fell_back;
  };
  Choice choice(const CudnnBatch& batch) const;

  /// Between Sluice's parameters of these layers and cuDNN's arrangement. `d_parameters` is of
  /// state_type(type).
  void load_weights(const Queue& queue, const void* parameters, void* weights) const;
  void store_gradients(const Queue& queue, const void* d_weights, void* d_parameters) const;

  /// Errors: usage, in cuDNN's words, where the algorithm asked for does not take the call (bytes()
  /// says it first); runtime from cuDNN, or where a failure broke the device's context or a
  /// recording.
  void forward(const Queue& queue, const CudnnForwardArgs& args) const;
  void backward(const Queue& queue, const CudnnBackwardArgs& args) const;

 private:
  struct State;
  CudnnRnnConfig config_;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
