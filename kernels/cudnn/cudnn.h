// Whether cuDNN, an optional library, is there at run time, and what of its recurrent layers can be
// used. This header is for any build; kernels/cudnn/cudnn_rnn.h is what runs.
//
// Public API.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/base/types.h"
#include "kernels/cells/list.h"

namespace sluice {

struct CudnnPresence {
  int version = 0;      ///< as cudnnGetVersion gives it: 91900 is 9.19.0; 0 where it is not there
  std::string problem;  ///< why it cannot be used, with the remedy; empty if it can
};

/// Loads the library on the first call and remembers the answer. A GPU is not asked for.
const CudnnPresence& cudnn_presence();

/// 91900 -> "9.19.0".
std::string cudnn_version_text(int version);

/// Why cuDNN's recurrent layers are not of this cell; empty if they are.
std::string why_not_in_cudnn(Cell cell);

/// cuDNN's own algorithms; `best` takes one by shape, as cudnn_best() says.
enum class CudnnAlgorithm {
  best,
  standard,
  persist_static,
  persist_dynamic,
  persist_static_small_h
};
const char* name_of(CudnnAlgorithm algorithm);

/// Some consecutive layers without dropout between them: one call of cuDNN.
struct CudnnRnnConfig {
  Cell cell = Cell::lstm;
  DataType type = DataType::float32;
  MatrixMath math = MatrixMath::ieee;  ///< of float32
  std::int64_t input_size = 0;         ///< I of the first layer
  std::int64_t hidden_size = 0;        ///< H
  int num_layers = 1;                  ///< L
  bool bidirectional = false;          ///< D = 2
  CudnnAlgorithm algorithm = CudnnAlgorithm::best;

  int directions() const { return bidirectional ? 2 : 1; }
};

/// T and B of a batch, and whether every row has T steps.
struct CudnnBatch {
  std::int32_t steps = 0;
  std::int32_t batch = 0;
  bool equal_lengths = true;
  bool training = true;
};

/// What `best` stands for. The limits are those that PyTorch and cuDNN's manual give for the
/// persistent algorithms; rows of different lengths and float64 go to the standard one.
CudnnAlgorithm cudnn_best(const CudnnRnnConfig& config, const CudnnBatch& batch);

}  // namespace sluice
