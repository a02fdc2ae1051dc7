// cuDNN's functions, found when the program runs: a machine without the library runs everything
// else. Only for sources that are built with SLUICE_WITH_CUDNN.
#pragma once

#include <cudnn.h>

#include <string>

#include "kernels/cudnn/cudnn.h"

namespace sluice::cuda {

/// Every function of cuDNN that Sluice calls, under its own name.
struct CudnnLibrary {
  CudnnPresence presence;

#define SLUICE_CUDNN_FUNCTIONS(function)                                                      \
  function(cudnnGetVersion) function(cudnnGetErrorString) function(cudnnGetLastErrorString)   \
      function(cudnnCreate) function(cudnnDestroy) function(cudnnSetStream)                   \
          function(cudnnCreateTensorDescriptor) function(cudnnDestroyTensorDescriptor)        \
              function(cudnnSetTensorNdDescriptor) function(cudnnCreateDropoutDescriptor)     \
                  function(cudnnDestroyDropoutDescriptor) function(cudnnSetDropoutDescriptor) \
                      function(cudnnCreateRNNDescriptor) function(cudnnDestroyRNNDescriptor)  \
                          function(cudnnSetRNNDescriptor_v8) function(cudnnBuildRNNDynamic)   \
                              function(cudnnGetRNNTempSpaceSizes)                             \
                                  function(cudnnGetRNNWeightSpaceSize)                        \
                                      function(cudnnGetRNNWeightParams)                       \
                                          function(cudnnCreateRNNDataDescriptor)              \
                                              function(cudnnDestroyRNNDataDescriptor)         \
                                                  function(cudnnSetRNNDataDescriptor)         \
                                                      function(cudnnRNNForward)               \
                                                          function(cudnnRNNBackwardData_v8)   \
                                                              function(cudnnRNNBackwardWeights_v8)

#define SLUICE_CUDNN_POINTER(name) decltype(&::name) name = nullptr;
  SLUICE_CUDNN_FUNCTIONS(SLUICE_CUDNN_POINTER)
#undef SLUICE_CUDNN_POINTER
};

/// Loaded once; with presence.problem set, every pointer is null.
const CudnnLibrary& cudnn_library();

/// The same, or a usage error that says why it cannot be used.
const CudnnLibrary& require_cudnn();

/// Statuses that say that cuDNN, or one of its algorithms, does not take a call.
bool is_refusal(cudnnStatus_t status);

/// A failed status by name and number, with what cuDNN has to say of it.
std::string words_for(cudnnStatus_t status);

/// Throws what `failure` tells ("... failed: words_for(status)"): a usage error for a refusal, else
/// a runtime error.
[[noreturn]] void throw_failure(cudnnStatus_t status, const std::string& failure);

/// Throws unless `status` is success, in cuDNN's own words. `action` completes "... failed".
void check(cudnnStatus_t status, const std::string& action);

}  // namespace sluice::cuda
