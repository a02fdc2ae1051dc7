// What a persistent launch is told: kernels/time_loops/persistent/persistent.h without what decides
// it, and without <string>, which the CUDA compiler reads for long.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/queue.h"
#include "kernels/time_loops/recurrence.h"

namespace sluice {

/// What a group is, and how its blocks exchange.
enum class PersistentKind {
  block,    ///< one block; compute capability 8.0
  cluster,  ///< a thread-block cluster, through distributed shared memory; 9.0
  grid,     ///< blocks anywhere on the GPU, through global memory and flags; 8.0
};
constexpr const char* name_of(PersistentKind kind) {
  return kind == PersistentKind::block     ? "persistent_block"
         : kind == PersistentKind::cluster ? "persistent_cluster"
                                           : "persistent_grid";
}

/// What a GPU allows these kernels. All zero: there is no GPU.
struct PersistentLimits {
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  std::size_t shared_bytes = 0;  ///< dynamic shared memory that a block may ask for
  int clusters[5] = {};          ///< resident clusters of 1, 2, 4, 8, 16 blocks with an SM each
  int device = 0;                ///< number of the GPU
  bool cooperative = false;      ///< launches blocks that must all be resident at once

  /// Blocks of the largest cluster of which one at least is resident; 0: it has no clusters.
  int largest_cluster() const;
};

enum class RecurrentPass { forward, backward };

struct PersistentRequest {
  PersistentKind kind = PersistentKind::block;
  RecurrentPass pass = RecurrentPass::forward;
  RecurrenceShape shape;
  std::int64_t batch = 0;  ///< B
  int directions = 1;      ///< D
  bool options = false;    ///< some of the unit options is on: UnitDraws::on()
};

/// What of R the SMs hold through the steps, and what travels between a group's blocks.
enum class PersistentMatrix {
  none,       ///< nothing: the cell has no R, and each unit of a row goes through the steps alone
  rows,       ///< forward: R; h is gathered
  columns,    ///< backward: R^T; the gates' gradients are gathered
  scattered,  ///< backward: R by the block's own units; the products, of float32, are scattered
};

/// Which of the compiled kernels runs a request: decided by persistent_fit() alone, and what packs,
/// launches and predicts goes by it.
struct PersistentKernel {
  PersistentMatrix matrix = PersistentMatrix::rows;
  bool tensor_cores = false;
  bool wide = false;     ///< groups of twice as many rows
  bool small = false;    ///< of few threads, each of which has registers for more weights
  bool options = false;  ///< does what the unit options' rates ask for, which may be nothing

  bool scatters() const { return matrix == PersistentMatrix::scattered; }
};

/// How a request runs.
struct PersistentLaunch {
  PersistentRequest request;
  PersistentKernel kernel;
  int blocks = 0;                ///< of a group
  int rows = 0;                  ///< batch rows of a group at most; with R a multiple of 8
  int groups = 0;                ///< of a direction: ceil(B / rows)
  int groups_at_once = 0;        ///< of all directions, by the limits; more run one after the other
  int tiles = 0;                 ///< blocks' shares in tiles of 16 units
  int threads = 0;               ///< of a block
  std::size_t shared_bytes = 0;  ///< dynamic, of a block
  std::size_t kept_bytes = 0;    ///< weights that a block has room for in registers
  int mask_planes = 0;           ///< G where a block keeps the masks on R's input in shared memory

  /// Rounds in which all groups have run.
  int waves() const { return (groups * request.directions + groups_at_once - 1) / groups_at_once; }
};

/// One direction. Of `recurrence`, `mask` and `scratch` are not read: what masks R's input is drawn
/// in the kernel, by `draws`. `packed` is as persistent_pack wrote it.
struct PersistentForwardArgs {
  RecurrenceForwardArgs recurrence;
  void* exchange = nullptr;  ///< persistent_exchange_bytes()
  /// Rows that share their inputs: packed row n reads row input_index[n] of `inputs` [U, G*H], of
  /// shape.type. Null, both: what the gates' slots hold.
  const void* inputs = nullptr;
  const std::int32_t* input_index = nullptr;  ///< [N]
};
struct PersistentBackwardArgs {
  RecurrenceBackwardArgs recurrence;
  void* exchange = nullptr;
};

namespace cuda {
PersistentLimits persistent_limits();
PersistentLimits persistent_limits(int device);
void persistent_pack(const Queue&, const PersistentLaunch&, const void* weight_hh, void* packed);
void persistent_forward(const Queue&, const PersistentLaunch&, const PersistentForwardArgs*);
void persistent_backward(const Queue&, const PersistentLaunch&, const PersistentBackwardArgs*);
}  // namespace cuda

}  // namespace sluice
