// A recurrent layer of real size on a device: inputs that are made in no time, and a plan with its
// memory, whose passes can be repeated, recorded and compared. For what runs on a GPU;
// tests/engine/recurrent_pass.h is for small layers and watches the ends of every buffer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/recurrent.h"
#include "engine/sequence_layout.h"
#include "host/buffer.h"
#include "kernels/device/device.h"

namespace sluice::test {

/// A queue on the first GPU.
class CudaQueue {
 public:
  CudaQueue() : queue_(create_cuda_queue(0)) {}
  ~CudaQueue() { destroy_cuda_queue(queue_); }
  CudaQueue(const CudaQueue&) = delete;
  CudaQueue& operator=(const CudaQueue&) = delete;

  operator const Queue&() const { return queue_; }

 private:
  Queue queue_;
};

/// Numbers of a configuration's inputs, the same for the same configuration and batch. Weights are
/// as large as training begins with (up to 1/sqrt(H)), so that an error fades from step to step.
struct LayerInputs {
  /// For at most `rows` packed rows.
  LayerInputs(const Queue& queue, const RecurrentConfig& config, std::int64_t rows,
              std::int32_t batch);

  Buffer parameters, x, h0, c0, dy, dh_n, dc_n;
};

/// Memory that a pass writes, by name.
struct DeviceOutput {
  std::string name;
  DataType type;
  std::int64_t count;  ///< numbers
  std::int64_t terms;  ///< that one of them is the sum of: H, or for a weight's gradient N
  const void* data;    ///< device
  std::size_t bytes() const { return static_cast<std::size_t>(count) * size_of(type); }
};

class DevicePass {
 public:
  /// Training. `queue`, `inputs` and what set_layout() gets must outlive this. Memory is for any
  /// layout of no more rows, steps and sequences than `layout`. Errors: usage where the algorithm
  /// does not fit.
  DevicePass(const Queue& queue, const RecurrentConfig& config, Algorithm algorithm,
             const SequenceLayout& layout, const LayerInputs& inputs, std::int32_t chunk_steps = 0);

  const RecurrentPlan& plan() const { return plan_; }
  /// Of the passes to come; its numbers go to the same memory.
  void set_layout(const SequenceLayout& layout);

  /// Enqueued. Both allocate nothing and copy nothing, so that they can be recorded.
  void forward() const;
  void backward() const;

  /// Everything that a pass may write becomes NaN.
  void spoil() const;

  /// y, h_n, c_n, dx, dh0, dc0 and each parameter's gradient; views on this pass's memory.
  std::vector<DeviceOutput> outputs() const;

 private:
  const Queue& queue_;
  RecurrentPlan plan_;
  const LayerInputs& inputs_;
  const SequenceLayout* layout_ = nullptr;
  Buffer workspace_, reserve_, layout_memory_, nan_;
  Buffer y_, h_n_, c_n_, dx_, dh0_, dc0_, d_parameters_;
  Sequences sequences_;
};

/// An output's bytes on the host; waits for the queue.
void download(const Queue& queue, const DeviceOutput& output, std::vector<unsigned char>& to);
/// Those of all outputs, by name.
using OutputBytes = std::map<std::string, std::vector<unsigned char>>;
void download(const Queue& queue, const DevicePass& pass, OutputBytes& to);

/// Of bytes, in their order.
std::uint64_t hash_of(const std::vector<unsigned char>& bytes);

/// The first output whose bits differ; empty if none do.
std::string other_bits(const OutputBytes& a, const OutputBytes& b);

/// How far two outputs of one name are apart.
struct Difference {
  double largest = 0.0;  ///< max |a - b| / max |b|; NaN where one of them has a NaN or an infinity
  double mean = 0.0;     ///< root of mean (a - b)^2 / root of mean b^2
};
Difference difference(DataType type, const std::vector<unsigned char>& a,
                      const std::vector<unsigned char>& b);

/// What two sound implementations may be apart: a step's rounding of the type, which contracting
/// weights keep from adding up over steps, times 16. In 16 bits stepwise rounds the gates' sums,
/// every h is rounded, and a sum that falls on the other side of a tie moves by a unit of the last
/// place; in TF32 one side may cut off what the other rounds. Float32 sums of `terms` products
/// differ by the square root of their number.
double allowed_difference(DataType type, MatrixMath math, std::int64_t terms);
/// The same of the mean: two roundings, or in TF32, where what is cut off is always towards zero,
/// eight.
double allowed_mean_difference(DataType type, MatrixMath math, std::int64_t terms);

}  // namespace sluice::test
