// Recurrent layers in plain loops over numbers in double, written from cuDNN's manual and not from
// Sluice's cells, so that the two can be compared.
#pragma once

#include <cstddef>
#include <vector>

#include "imagined_cudnn/objects.h"

namespace imagined_cudnn {

using Numbers = std::vector<double>;

/// What forward leaves for backward, for each pseudo-layer: gates i,f,g,o,c; r,z,n,q with
/// q = R_n h + b; or h. [rows, 5*H].
struct Trace {
  std::vector<Numbers> gates;    ///< of each pseudo-layer
  std::vector<Numbers> outputs;  ///< of each layer [rows, D*H]
};

struct Forward {
  const cudnnRNNStruct& layers;
  const cudnnRNNDataStruct& data;
  const Numbers& weights;
  const Numbers& x;   ///< [rows, input]
  const Numbers& h0;  ///< [L*D, B, H], zeros if there is none
  const Numbers& c0;
  Numbers h_n, c_n;  ///< out
  Trace trace;       ///< out

  void run();
};

struct Backward {
  const cudnnRNNStruct& layers;
  const cudnnRNNDataStruct& data;
  const Numbers& weights;
  const Numbers& x;
  const Numbers& h0;
  const Numbers& c0;
  const Trace& trace;
  const Numbers& dy;  ///< [rows, D*H]
  Numbers dh, dc;     ///< in: by the final states; out: by the initial ones
  Numbers dx;         ///< out
  Numbers d_weights;  ///< out, like weights

  void run();
};

}  // namespace imagined_cudnn
