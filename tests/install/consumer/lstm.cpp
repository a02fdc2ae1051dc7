// An LSTM layer, forward and backward over rows of lengths 2, 5 and 3, on the program's own memory.
#include <sluice/engine/recurrent.h>
#include <sluice/engine/sequence_layout.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

int main() {
  sluice::RecurrentConfig config;
  config.cell = sluice::Cell::lstm;
  config.input_size = 3;
  config.hidden_size = 4;
  const sluice::RecurrentPlan plan(config, sluice::DeviceKind::cpu);
  const sluice::SequenceLayout layout({2, 5, 3});
  const sluice::PassShape shape{layout.rows(), layout.steps(), layout.batch(), /*training=*/true};

  const auto views = sluice::recurrent_parameters(config);  // weight_ih_l0, weight_hh_l0, bias_...
  std::vector<float> parameters(sluice::parameter_count(views)), d_parameters(parameters.size());
  std::vector<float> x(layout.rows() * 3), y(layout.rows() * 4), h_n(layout.batch() * 4);
  std::vector<float> dy(y.size(), 1.0f);  // the gradient of the sum of all outputs
  std::vector<std::byte> reserve(plan.reserve_bytes(shape)), workspace(plan.workspace_bytes(shape));
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] = 0.5f * std::sin(float(i));
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = std::cos(float(i));  // packed, longest row first

  sluice::ThreadPool threads;  // one for each processor
  sluice::Queue queue;
  queue.threads = &threads;

  sluice::RecurrentForwardArgs forward;
  forward.sequences = layout.host_view();
  forward.parameters = parameters.data();
  forward.x = x.data();
  forward.y = y.data();
  forward.h_n = h_n.data();  // in the order the lengths were given in
  forward.reserve = reserve.data();
  forward.workspace = workspace.data();
  plan.forward(queue, forward);

  sluice::RecurrentBackwardArgs backward;
  backward.sequences = layout.host_view();
  backward.parameters = parameters.data();
  backward.x = x.data();
  backward.y = y.data();
  backward.dy = dy.data();
  backward.d_parameters = d_parameters.data();
  backward.reserve = reserve.data();
  backward.workspace = workspace.data();
  plan.backward(queue, backward);

  const float* h = &h_n[1 * 4];
  std::printf("last state of the row of 5 steps: %.4f %.4f %.4f %.4f\n", h[0], h[1], h[2], h[3]);
  for (const auto& view : views) {
    std::printf("gradient of %s[0]: %.4f\n", view.name.c_str(), d_parameters[view.offset]);
  }
}
