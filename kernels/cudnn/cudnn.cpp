#include "kernels/cudnn/cudnn.h"

#ifdef SLUICE_WITH_CUDNN
#include "kernels/cudnn/cudnn_library.h"
#endif

namespace sluice {

#ifdef SLUICE_WITH_CUDNN
const CudnnPresence& cudnn_presence() { return cuda::cudnn_library().presence; }
#else
const CudnnPresence& cudnn_presence() {
  static const CudnnPresence none{
      0,
      "this build of Sluice has no cuDNN: install its headers beside the CUDA toolkit and "
      "configure with -DSLUICE_CUDNN=ON"};
  return none;
}
#endif

std::string cudnn_version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

std::string why_not_in_cudnn(Cell cell) {
  for (const Cell has : {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru}) {
    if (cell == has) return "";
  }
  if (cell == Cell::gru_reset_before) return "cuDNN's GRU resets after the product (cell gru)";
  return std::string("cuDNN has no cell ") + name_of(cell);
}

const char* name_of(CudnnAlgorithm algorithm) {
  switch (algorithm) {
    case CudnnAlgorithm::best: return "best";
    case CudnnAlgorithm::standard: return "standard";
    case CudnnAlgorithm::persist_static: return "persist_static";
    case CudnnAlgorithm::persist_dynamic: return "persist_dynamic";
    case CudnnAlgorithm::persist_static_small_h: return "persist_static_small_h";
  }
  return "?";
}

CudnnAlgorithm cudnn_best(const CudnnRnnConfig& config, const CudnnBatch& batch) {
  if (!batch.equal_lengths || config.type == DataType::float64) return CudnnAlgorithm::standard;
  const bool gated = gate_count(config.cell) > 1;
  const std::int64_t small = gated ? (batch.training ? 128 : 192) : (batch.training ? 256 : 384);
  if (config.hidden_size <= small) return CudnnAlgorithm::persist_static_small_h;
  const bool tiled =
      config.hidden_size <= 1024 && config.hidden_size % 128 == 0 && config.input_size % 128 == 0;
  const bool one = config.num_layers == 1 && !config.bidirectional && config.cell != Cell::gru;
  if (config.type == DataType::float16 && tiled && one && batch.batch % 8 == 0 &&
      batch.batch <= 128) {
    return CudnnAlgorithm::persist_static;
  }
  return CudnnAlgorithm::standard;
}

}  // namespace sluice
