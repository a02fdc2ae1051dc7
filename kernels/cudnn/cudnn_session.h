// One CudnnRnnConfig in cuDNN's terms: its handle and descriptors, and which of its algorithms a
// batch runs by. Only for sources that are built with SLUICE_WITH_CUDNN.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/cudnn/cudnn_library.h"
#include "kernels/cudnn/cudnn_rnn.h"
#include "kernels/cudnn/cudnn_weights.h"

namespace sluice::cuda {

CudnnBatch batch_of(const Sequences& sequences, bool training);

/// Not safe to be called from two threads at a time.
struct CudnnSession {
  using Bytes = CudnnRnn::Bytes;

  template <class Handle>
  using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, cudnnStatus_t (*)(Handle)>;

  /// How numbers are stored, in what they are added up, and by which instructions.
  struct Arithmetic {
    cudnnDataType_t storage, sums;
    cudnnMathType_t math;
  };

  const CudnnRnnConfig config;
  const CudnnLibrary& cudnn = require_cudnn();
  const cudnnRNNMode_t mode;
  const Arithmetic arithmetic;

  // Descriptors go before the handle.
  Owned<cudnnHandle_t> handle{nullptr, nullptr};
  Owned<cudnnDropoutDescriptor_t> no_dropout{nullptr, nullptr};
  Owned<cudnnRNNDataDescriptor_t> x{nullptr, nullptr}, y{nullptr, nullptr};
  Owned<cudnnTensorDescriptor_t> states{nullptr, nullptr};
  std::size_t weight_bytes = 0;
  std::vector<CudnnWeightRange> weights;

  /// Errors: usage when cuDNN is not there or does not have the cell.
  explicit CudnnSession(const CudnnRnnConfig& config);

  /// Makes handle and descriptors on the current device, if there are none yet.
  void open();

  /// Sets the handle's stream and the descriptors of x, y and the states for a batch.
  Bytes prepare(const Queue& queue, const Sequences& sequences, bool training);

  /// See CudnnRnn::bytes(). Voids what prepare() set.
  Bytes bytes(std::int32_t steps, std::int32_t batch, bool training);

  cudnnRNNAlgo_t algorithm_for(const CudnnBatch& batch) const;
  CudnnRnn::Choice choice(const CudnnBatch& batch) const;
  /// What became of a call on `queue`: true where it failed and is to be tried again, by the
  /// standard algorithm, as all such batches are from then on. `action`: cuDNN's function. Errors:
  /// of a failure where nothing else is to be tried, or where the queue cannot go on
  /// (require_sound).
  bool tries_again(const Queue& queue, const char* action, const CudnnBatch& batch,
                   cudnnRNNAlgo_t algorithm, cudnnStatus_t status);

  /// By whose algorithm a forward pass wrote a reserve; without a pass that is known, what such a
  /// batch runs by.
  void wrote_reserve(const void* reserve, cudnnRNNAlgo_t algorithm) {
    writers_[reserve] = algorithm;
  }
  cudnnRNNAlgo_t writer_of(const void* reserve, const CudnnBatch& batch) const;
  void consumed_reserve(const void* reserve) { writers_.erase(reserve); }

  /// Gives the layers' descriptor; persist_dynamic is compiled for each B, for equal lengths alone.
  cudnnStatus_t ready(cudnnRNNAlgo_t algorithm, const CudnnBatch& batch,
                      cudnnRNNDescriptor_t& layers);

  /// check() that names the call: what cuDNN refuses depends on all of it.
  void check_call(cudnnStatus_t status, const char* action, cudnnRNNAlgo_t algorithm,
                  const CudnnBatch& batch) const;

 private:
  using RnnDescriptor = Owned<cudnnRNNDescriptor_t>;
  using Call = std::tuple<std::int32_t, std::int32_t, bool, bool>;  // T, B, equal lengths, training

  static Call call_of(const CudnnBatch& batch) {
    return {batch.steps, batch.batch, batch.equal_lengths, batch.training};
  }
  cudnnStatus_t describe_layers(cudnnRNNAlgo_t algorithm, bool packed,
                                cudnnRNNDescriptor_t& layers);
  void describe_data(const CudnnBatch& batch, const std::vector<int>& lengths);
  void describe_states(std::int32_t batch);
  cudnnStatus_t temporary_bytes(cudnnRNNAlgo_t algorithm, const CudnnBatch& batch, Bytes& bytes);
  std::size_t repeated_y_bytes(std::int32_t steps, std::int32_t batch, bool training) const;
  void locate_weights();
  bool can_fall_back(cudnnRNNAlgo_t algorithm) const;
  void fall_back(const CudnnBatch& batch, cudnnRNNAlgo_t algorithm, const std::string& failure);
  std::string name_of_call(const char* action, cudnnRNNAlgo_t algorithm,
                           const CudnnBatch& batch) const;

  std::map<std::pair<cudnnRNNAlgo_t, bool>, RnnDescriptor> rnns_;  // by algorithm and packed
  int dynamic_batch_ = 0;                          // what persist_dynamic was built for
  std::map<Call, std::string> fell_back_;          // to the standard algorithm, and why
  std::map<const void*, cudnnRNNAlgo_t> writers_;  // of reserves that wait for their backward pass
  std::map<std::tuple<std::int32_t, std::int32_t, bool>, Bytes> sizes_;
};

}  // namespace sluice::cuda
