#include "imagined_cudnn/failures.h"

#include <cstdlib>
#include <sstream>
#include <string>

namespace imagined_cudnn {

cudnnStatus_t failure_asked_of(const char* function, cudnnRNNAlgo_t algorithm) {
  const char* const asked = std::getenv("IMAGINED_CUDNN_FAILS");
  std::istringstream words(asked == nullptr ? "" : asked);
  for (std::string word; words >> word;) {
    const std::size_t sign = word.find('=');
    if (word.substr(0, sign) != function) continue;
    if (algorithm == CUDNN_RNN_ALGO_STANDARD && word.back() != '*') continue;
    return static_cast<cudnnStatus_t>(std::stoi(word.substr(sign + 1)));
  }
  return CUDNN_STATUS_SUCCESS;
}

bool is_refusal(cudnnStatus_t status) { return status >= 2000 && status < 4000; }

}  // namespace imagined_cudnn
