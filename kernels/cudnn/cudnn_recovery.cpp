#ifdef SLUICE_WITH_CUDNN
#include "kernels/cudnn/cudnn_recovery.h"

#include <cuda_runtime_api.h>

#include "kernels/base/error.h"
#include "kernels/device/cuda_check.h"

namespace sluice::cuda {

void require_sound(const Queue& queue, const std::string& failure) {
  const auto stream = static_cast<cudaStream_t>(queue.stream);
  cudaStreamCaptureStatus recording = cudaStreamCaptureStatusNone;
  cudaError_t error = cudaStreamIsCapturing(stream, &recording);
  if (error == cudaSuccess && recording != cudaStreamCaptureStatusNone) {
    throw Error::runtime(failure +
                         "; the recording of this queue's work holds a part of that call: drop it "
                         "and record again");
  }
  // cuDNN has a CUDA runtime of its own: only a call through ours tells what became of the context.
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream);
  static_cast<void>(cudaGetLastError());
  if (error == cudaSuccess) return;
  throw_failure(error, (failure + "; waiting for the device afterwards").c_str());
}

}  // namespace sluice::cuda
#endif
