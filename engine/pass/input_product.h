// The part of a layer's gates that does not recur, x W_ih^T, and the way back through it.
#pragma once

#include "engine/choice/step_chunks.h"
#include "engine/pass/direction.h"
#include "engine/pass/pass_memory.h"

namespace sluice {

/// What both passes read.
struct InputProductArgs {
  const void* x = nullptr;  ///< [N, in], or [U, in] with a shared input; after dropout.
                            ///< Of a direction that takes gates: [D, U, G*H]
  SharedInput shared = {};
  const void* parameters = nullptr;  ///< the flat buffer
  bool many_steps = true;  ///< more than one, which chunks share out in one way or another
};

/// Forward, of one direction of one layer. A shared input is multiplied once, into
/// workspace.shared_gates, when this is made; its rows are then gathered for each chunk, as are
/// those of an input that is gates already, unless the time loop's launch reads them where they
/// are.
class InputProduct {
 public:
  InputProduct(const Queue& queue, const Direction& direction, const InputProductArgs& args,
               const DirectionWorkspace& workspace);

  /// Slots 0..G-1 of `gates` [chunk.rows, S*H] = the product of the chunk's rows.
  void fill(const StepChunk& chunk, void* gates) const;

  /// The rows of a shared input [U, G*H], if they are of the configuration's type; else null.
  const void* shared_rows() const;
  const std::int32_t* shared_index() const { return args_.shared.index; }

 private:
  const Queue& queue_;
  const Direction& direction_;
  const InputProductArgs args_;
  const void* shared_gates_;  // [U, G*H]
};

/// Backward.
struct InputGradientArgs {
  InputProductArgs input;
  void* dx = nullptr;  ///< as input.x; null if not wanted
  bool add_to_dx = false;
  void* d_parameters = nullptr;  ///< the flat buffer; null if not wanted
};

/// dx of the chunk's rows from `gates` [chunk.rows, S*H], the gradients by the pre-activations;
/// nothing if it is not wanted. Not for a shared input, nor the next.
void input_gradient(const Queue& queue, const Direction& direction, const InputGradientArgs& args,
                    const StepChunk& chunk, const void* gates);
/// The chunk's part of weight_ih's gradient, which is added to what is there or overwrites it.
void input_weight_gradient(const Queue& queue, const Direction& direction,
                           const InputGradientArgs& args, const StepChunk& chunk, const void* gates,
                           bool add);

/// Both of a shared input, over all rows at once: gates [N, S*H].
void shared_input_gradients(const Queue& queue, const Direction& direction,
                            const InputGradientArgs& args, std::int64_t rows, const void* gates,
                            const DirectionWorkspace& workspace);

}  // namespace sluice
