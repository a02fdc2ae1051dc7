// The passes of cells without R: every type, float64 too.
#include "kernels/time_loops/persistent/persistent_launch.h"
#include "kernels/time_loops/persistent/unit_kernel.h"
#include "kernels/time_loops/persistent/units.h"

namespace sluice::cuda {
namespace {

template <class Direction, class Args>
void fill(UnitLaunch<Direction>& to, const PersistentLaunch& fit, const Args& args) {
  to.batch = static_cast<int>(fit.request.batch);
  to.hidden_size = static_cast<int>(fit.request.shape.hidden_size);
  to.offsets = args.recurrence.sequences.offsets;
  to.lengths = args.recurrence.sequences.lengths;
  to.order = args.recurrence.sequences.order;
  to.blocks = fit.blocks;
  to.mask_scale = args.recurrence.draws.mask.scale();
}

template <class T, class Direction, class Recurrence>
void fill(Direction& to, const Recurrence& from, bool against_order) {
  to.gates = static_cast<T*>(from.gates);
  to.unit_weights = static_cast<const T*>(from.unit_weights);
  to.draws = from.draws;
  to.begin = from.begin;
  to.end = from.end;
  to.first_packed_row = from.sequences.host_offsets[from.begin];
  to.reverse = from.reverse != against_order;
}

template <class Kernel, class Launch>
void launch_units(const Queue& queue, const PersistentLaunch& fit, Kernel kernel,
                  const Launch& arguments) {
  const auto rows = static_cast<unsigned>(fit.rows);
  launch(kernel,
         {.grid = {static_cast<unsigned>(fit.groups) * static_cast<unsigned>(fit.blocks),
                   static_cast<unsigned>(fit.request.directions)},
          .block = {static_cast<unsigned>(fit.threads) / rows, rows},
          .stream = queue.stream},
         arguments);
}

/// Calls use(C()) if the cell is one without R.
template <class Use>
void with_unit_cell(const PersistentLaunch& fit, Use use) {
  with_cell(fit.request.shape.cell, [&]<class C>(C cell) {
    if constexpr (!C::spec.recurrent_matrix) use(cell);
  });
}

template <class T>
void forward(const Queue& queue, const PersistentLaunch& fit, const PersistentForwardArgs* args) {
  UnitLaunch<UnitForward<T>> arguments{};
  fill(arguments, fit, args[0]);
  arguments.training = args[0].recurrence.training;
  for (int d = 0; d < fit.request.directions; ++d) {
    const RecurrenceForwardArgs& from = args[d].recurrence;
    UnitForward<T>& to = arguments.direction[d];
    fill<T>(to, from, false);
    to.inputs = static_cast<const T*>(args[d].inputs);
    to.input_index = args[d].input_index;
    to.bias = static_cast<const Wide<T>*>(from.bias);
    to.h_state = static_cast<Wide<T>*>(from.h_state);
    to.c_state = static_cast<Wide<T>*>(from.c_state);
    to.c = static_cast<T*>(from.c);
    to.h = static_cast<T*>(from.h);
    to.ldh = from.ldh;
  }
  with_unit_cell(fit, [&]<class C>(C) {
    if constexpr (!std::is_same_v<T, double>) {  // which is for checks
      if (!fit.kernel.options) {
        return launch_units(queue, fit, unit_forward_kernel<C, T, false>, arguments);
      }
    }
    launch_units(queue, fit, unit_forward_kernel<C, T, true>, arguments);
  });
}

template <class T>
void backward(const Queue& queue, const PersistentLaunch& fit, const PersistentBackwardArgs* args) {
  UnitLaunch<UnitBackward<T>> arguments{};
  fill(arguments, fit, args[0]);
  for (int d = 0; d < fit.request.directions; ++d) {
    const RecurrenceBackwardArgs& from = args[d].recurrence;
    UnitBackward<T>& to = arguments.direction[d];
    fill<T>(to, from, true);
    to.h_initial = static_cast<const Wide<T>*>(from.h_initial);
    to.c_initial = static_cast<const Wide<T>*>(from.c_initial);
    to.h = static_cast<const T*>(from.h);
    to.ldh = from.ldh;
    to.c = static_cast<const T*>(from.c);
    to.dy = static_cast<const T*>(from.dy);
    to.lddy = from.lddy;
    to.dh_state = static_cast<Wide<T>*>(from.dh_state);
    to.dc_state = static_cast<Wide<T>*>(from.dc_state);
  }
  with_unit_cell(fit, [&]<class C>(C) {
    if constexpr (!std::is_same_v<T, double>) {  // which is for checks
      if (!fit.kernel.options) {
        return launch_units(queue, fit, unit_backward_kernel<C, T, false>, arguments);
      }
    }
    launch_units(queue, fit, unit_backward_kernel<C, T, true>, arguments);
  });
}

}  // namespace

void run_units_forward(const Queue& queue, const PersistentLaunch& fit,
                       const PersistentForwardArgs* directions) {
  with_number(fit.request.shape.type, [&]<class T>(T) { forward<T>(queue, fit, directions); });
}

void run_units_backward(const Queue& queue, const PersistentLaunch& fit,
                        const PersistentBackwardArgs* directions) {
  with_number(fit.request.shape.type, [&]<class T>(T) { backward<T>(queue, fit, directions); });
}

}  // namespace sluice::cuda
