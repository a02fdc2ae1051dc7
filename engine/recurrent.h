// Recurrent layers over time, forward and backward: what a program links as a backend.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/sequence_layout.h"
#include "kernels/base/philox.h"
#include "kernels/base/queue.h"
#include "kernels/base/sequences.h"
#include "kernels/cells/list.h"
#include "kernels/cells/unit_options.h"
#include "kernels/device/thread_pool.h"

namespace sluice {

/// A stack of L recurrent layers, each in one or both directions.
struct RecurrentConfig {
  Cell cell = default_cell;
  DataType data_type = DataType::float32;  ///< 16-bit types add up, and carry states, in float32
  MatrixMath math = MatrixMath::ieee;      ///< of float32 products
  std::int64_t input_size = 0;             ///< I
  std::int64_t hidden_size = 0;            ///< H
  int num_layers = 1;                      ///< L
  bool bidirectional = false;              ///< D = 2
  /// One-hot input: what a row would be multiplied to is itself what is learned. x then holds rows
  /// of the gates, [D, U, G*H], picked by a shared input; the first layer has no weight_ih, and
  /// input_size is not read. They are weights: x and dx are of state_type(data_type). Not with
  /// input_dropout.
  bool gate_input = false;
  double input_dropout = 0.0;      ///< on the first layer's input
  double layer_dropout = 0.0;      ///< on the input of every later layer
  double recurrent_dropout = 0.0;  ///< on h_prev where it enters R, one mask for each gate
  // All three: a mask per row, constant over time, scaled by 1/(1-p); training passes only
  // (Gal & Ghahramani 2016; Keras). Each rate is in [0, 1), as those of zoneout are.
  double zoneout_h = 0.0;  ///< chance that a unit keeps its h of the step before; see UnitOptions
  double zoneout_c = 0.0;  ///< likewise c; cells with c alone

  UnitOptions unit_options() const { return {recurrent_dropout, zoneout_h, zoneout_c}; }
  void set(const UnitOptions& options) {
    recurrent_dropout = options.recurrent_dropout;
    zoneout_h = options.zoneout_h;
    zoneout_c = options.zoneout_c;
  }
  int directions() const { return bidirectional ? 2 : 1; }
  std::int64_t output_size() const { return directions() * hidden_size; }
};

/// What a parameter does, by which it is initialised, exchanged and clipped.
enum class ParameterKind {
  table,             ///< rows that are picked by an index, such as embeddings
  matrix,            ///< [out, in] of a dense layer
  bias,              ///< [out] of a dense layer
  input_matrix,      ///< of a recurrent layer [G*H, in]: weight_ih
  recurrent_matrix,  ///< [G*H, H]: weight_hh of a cell with a full R
  input_bias,        ///< [G*H]: bias_ih
  recurrent_bias,    ///< [G*H]: bias_hh
  unit_weight,       ///< [P*H]: one number a unit, as the cell's spec says
};

/// What is to be known of a parameter beside its shape; nothing is decided by its name or place.
struct ParameterRole {
  ParameterKind kind = ParameterKind::matrix;
  int gates = 1;               ///< blocks of rows that follow each other: G; P of unit weights
  std::int64_t gate_rows = 0;  ///< rows of each: H
  std::int64_t fan_in = 0;     ///< numbers that each of its outputs adds up; a bias: its matrix's
  std::int64_t fan_out = 0;    ///< outputs that each of its inputs enters; a bias: its matrix's
  int layer = -1;              ///< of a stack of recurrent layers; -1: elsewhere
  int direction = 0;           ///< 1: reverse
};

/// One named tensor inside the flat parameter buffer. Offset and shape in elements.
struct ParameterView {
  std::string name;  ///< PyTorch's: weight_ih_l0, weight_hh_l0_reverse, bias_ih_l1, ...
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;
  ParameterRole role = {};
  std::int64_t size() const;
};

/// In PyTorch's order: for each layer and direction weight_ih [G*H, in] (not of the first layer
/// with gate_input), weight_hh [G*H, H] (of a cell with a recurrent matrix), bias_ih [G*H], bias_hh
/// [G*H], and the cell's unit weights [P*H], if it has any, under the name of its spec; without
/// gaps. Errors: usage, naming the field, if `config` is invalid.
std::vector<ParameterView> recurrent_parameters(const RecurrentConfig& config);
/// The one of a layer and direction; null if there is none of the kind.
const ParameterView* find_parameter(const std::vector<ParameterView>& views, ParameterKind kind,
                                    int layer, int direction);
std::int64_t parameter_count(const std::vector<ParameterView>& views);

/// How the time loop of one direction runs.
enum class Algorithm {
  automatic,   ///< the engine chooses; explain() says what and why
  stepwise,    ///< a GEMM and a fused cell kernel each step
  row_blocks,  ///< CPU: blocks of rows run through all steps on one thread, without barriers
  // CUDA, see kernels/time_loops/persistent/persistent.h: all steps of both directions in one
  // launch, R resident in
  persistent_block,    ///< one SM's registers and shared memory, rows over SMs
  persistent_cluster,  ///< those of a thread-block cluster, rows over clusters
  persistent_grid,     ///< those of many SMs, which wait for each other by flags in memory
  cudnn,  ///< CUDA: cuDNN's recurrent layers where the library is there (kernels/cudnn/cudnn.h), by
          ///< whichever of its algorithms suits the shape
  cudnn_standard,  ///< each of cuDNN's algorithms by name, for measurements
  cudnn_persist_static,
  cudnn_persist_dynamic,
  cudnn_persist_static_small_h,
};

constexpr bool is_cudnn(Algorithm algorithm) { return algorithm >= Algorithm::cudnn; }
const char* name_of(Algorithm algorithm);

/// Packed rows that share their inputs, as the words of a text share their embeddings. The input
/// product, its gradients and dx then take U rows instead of N.
struct SharedInput {
  const std::int32_t* index = nullptr;  ///< [N] device, each in [0, U): packed row n reads
                                        ///< x[index[n]]; null: packed row n reads x[n]
  std::int64_t rows = 0;                ///< U; read with an index alone
};

/// Largest batch a pass will see, and what for: sizes every buffer.
struct PassShape {
  std::int64_t rows = 0;   ///< N; T*B is always enough
  std::int32_t steps = 0;  ///< T
  std::int32_t batch = 0;  ///< B
  bool training = true;
  std::int64_t shared_rows = 0;  ///< most U of a pass with a SharedInput; 0: there is none
};

/// Everything below is device memory of config.data_type unless it says otherwise. On the CPU any
/// alignment will do; 64 bytes are fastest.
/// Layouts: x [N, I] and y [N, D*H] are packed as `sequences` says, which for rows of equal length
/// is plain [T, B, ...]; states are [L*D, B, H] in the caller's row order, index layer*D +
/// direction.
struct RecurrentForwardArgs {
  Sequences sequences;
  const void* parameters = nullptr;  ///< the flat buffer
  const void* x = nullptr;           ///< [N, I]; [U, I] with a shared input; see gate_input
  SharedInput shared_input = {};     ///< not together with input_dropout in training
  const void* h0 = nullptr;          ///< null means zeros
  const void* c0 = nullptr;          ///< of a cell with c, as c_n is; null means zeros
  void* y = nullptr;
  void* h_n = nullptr;        ///< may be null
  void* c_n = nullptr;        ///< may be null
  void* reserve = nullptr;    ///< reserve_bytes(); training only: kept for backward
  void* workspace = nullptr;  ///< workspace_bytes(); free again afterwards
  bool drops = true;          ///< false: no dropout, as in evaluation, though a reserve is kept
  std::uint64_t seed = 0;     ///< of the dropout masks
  const std::uint32_t* step = nullptr;  ///< device; training step, enters the masks; null means 0
};

struct RecurrentBackwardArgs {
  Sequences sequences;
  const void* parameters = nullptr;
  const void* x = nullptr;        ///< as in forward
  SharedInput shared_input = {};  ///< as in forward
  const void* h0 = nullptr;
  const void* c0 = nullptr;
  const void* y = nullptr;     ///< as forward wrote it
  const void* dy = nullptr;    ///< [N, D*H]; may be null
  const void* dh_n = nullptr;  ///< [L*D, B, H]; may be null
  const void* dc_n = nullptr;  ///< of a cell with c; may be null
  void* dx = nullptr;          ///< as x, sums over the rows that share one; null if not wanted
  void* dh0 = nullptr;         ///< may be null
  void* dc0 = nullptr;         ///< may be null
  void* d_parameters =
      nullptr;  ///< flat, of state_type(data_type) (float32 for 16-bit types, for an
                ///< optimiser whose weights are float32), overwritten; null if not wanted
  void* reserve = nullptr;  ///< as forward left it; consumed
  void* workspace = nullptr;
  bool drops = true;  ///< as in forward, as the next two
  std::uint64_t seed = 0;
  const std::uint32_t* step = nullptr;
};

class CudnnPass;
struct GpuDescription;
struct PassSchedule;
enum class RecurrentPass;

/// A configuration bound to a device: says how large the buffers are, what will run, and runs it.
/// Allocates no device memory; everything runs on the queue it is given, and waits for nothing, so
/// that a pass can be recorded in a CUDA graph (kernels/device/graph.h), as stepwise ones should be
/// where their steps are short.
///
/// The blocks of a persistent_grid wait for each other, so that a launch needs all of them resident
/// at once, with a multiprocessor each. A plan lets its own layers overlap only as far as the GPU
/// has room for all of them. Of other work it knows nothing: a pass by persistent_grid (algorithm()
/// says which are) must not be able to run at the same time as another one on the same GPU, nor as
/// any kernel that keeps multiprocessors while it waits for something, such as a collective
/// operation between GPUs. Not from two plans on two streams, not from two threads, not in two
/// branches of a graph, not in two processes that share the GPU by MPS: each could hold a part of
/// the multiprocessors and wait for ever for the rest. Give both the same queue, or let one wait
/// for the other's event (kernels/device/side_stream.h), or ask for another algorithm: the groups
/// of persistent_block and persistent_cluster wait for nothing outside of them.
class RecurrentPlan {
 public:
  /// `chunk_steps`: steps taken together (engine/choice/step_chunks.h); 0 lets the engine choose.
  /// It changes speed, memory and the last bits of the weights' gradients. On the CPU nothing else:
  /// y, the final states, dx and the states' gradients have the same bits. On CUDA cuBLAS chooses a
  /// kernel by the number of rows in a product, and kernels add up in different orders, so that
  /// there x W_ih^T and dx, and what follows from them, may differ in their last bits too (not so
  /// for a shared input, which is multiplied at once). A persistent kernel takes all steps, unless
  /// layers overlap; cuDNN always does. `automatic` on CUDA chooses for each call by the cost model
  /// (engine/choice/algorithm_choice.h). Errors: usage if the configuration is invalid or the
  /// algorithm does not fit the device.
  RecurrentPlan(const RecurrentConfig& config, DeviceKind device,
                Algorithm algorithm = Algorithm::automatic, std::int32_t chunk_steps = 0);

  const RecurrentConfig& config() const { return config_; }
  /// What a call of this shape runs by; a forward pass and its backward pass have the same.
  Algorithm algorithm(const PassShape& shape) const;

  /// Streams that passes can use. On CUDA the layers of a stack of one direction overlap, each
  /// taking chunks of steps after the layer before it, and so do the two directions of a layer,
  /// where the cost model expects a gain or `chunk_steps` asks for it (engine/pass/wavefront.h), as
  /// many as the GPU has room for; for that give the queue its streams, once, by add_lanes(queue,
  /// plan.lanes()) in kernels/device/lanes.h. Without them the bits are the same, and the layers
  /// run one after another.
  int lanes() const;

  /// Enough for every smaller shape too, and with `training` for inference as well.
  std::size_t workspace_bytes(const PassShape& shape) const;
  std::size_t reserve_bytes(const PassShape& shape) const;  ///< 0 unless training

  /// Errors: usage when a needed pointer is null; runtime from the device.
  void forward(const Queue& queue, const RecurrentForwardArgs& args) const;
  void backward(const Queue& queue, const RecurrentBackwardArgs& args) const;

  /// Text for people: the algorithm, why, memory, and what would be faster.
  std::string explain(const PassShape& shape) const;

 private:
  void check_algorithm(Algorithm algorithm) const;
  void find_options_on_cuda();
  PassSchedule schedule(const PassShape& shape, RecurrentPass pass) const;
  std::size_t workspace_bytes(const PassShape& shape, Algorithm algorithm) const;
  std::size_t reserve_bytes(const PassShape& shape, Algorithm algorithm) const;

  RecurrentConfig config_;
  DeviceKind device_;
  std::vector<Algorithm> options_;  // what a shape may run by; one where there is no choice
  std::shared_ptr<const GpuDescription> gpu_;  // on CUDA
  std::int32_t chunk_steps_;
  std::string reason_;                      // where there is no choice
  std::shared_ptr<const CudnnPass> cudnn_;  // where cuDNN's is among them
};

}  // namespace sluice
