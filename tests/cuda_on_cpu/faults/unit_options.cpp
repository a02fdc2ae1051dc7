// Faults of the unit options: the product's persistent kernels of an LSTM without weights, so that
// each unit is alone, with zoneout drawn in a way that has one fault. The sound version draws what
// the host does.
#include "faults/experiment.h"
#include "kernels/cells/lstm.h"
#include "kernels/time_loops/persistent/backward_kernel.h"
#include "kernels/time_loops/persistent/forward_kernel.h"

namespace cuda_on_cpu::faults {
namespace {

using namespace sluice::cuda;
using sluice::LstmCell, sluice::Unit, sluice::UnitDraws, sluice::Wrapped;
namespace geometry = sluice::persistent;

constexpr int hidden = 20, batch = 5, steps = 4, gates = 4, tiles = 2;
constexpr float first_h = 0.5f, first_c = -0.5f;
using BlockTiling = Tiling<1, 1, 0, 2, 384>;

std::size_t packed(int t, int row) { return static_cast<std::size_t>(t * batch + row); }
std::size_t state_at(int t, int row, int unit) {
  return packed(t, row) * hidden + static_cast<std::size_t>(unit);
}
std::size_t slot_at(int t, int row, int slot, int unit) {
  return (packed(t, row) * gates + static_cast<std::size_t>(slot)) * hidden +
         static_cast<std::size_t>(unit);
}
std::vector<float> waves(std::size_t count, int period) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(static_cast<int>(i) % period - period / 2) / 8.0f;
  }
  return values;
}

UnitDraws sound_draws(std::uint64_t seed = 3) {
  return sluice::unit_draws({.zoneout_h = 0.25, .zoneout_c = 0.5}, hidden, 0, true, seed, nullptr);
}
void draw(const UnitDraws& draws, int t, int row, int unit, float (&drawn)[2]) {
  sluice::for_each_index<2>([&](auto i) {
    drawn[i] =
        draws.number<float>(i, static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(row),
                            static_cast<std::uint32_t>(unit));
  });
}

/// What the passes leave: slots (forward what is kept, backward gradients), h and c of each step.
struct Arrays {
  std::vector<float> slots = waves(std::size_t{steps} * batch * gates * hidden, 23);
  std::vector<float> h = std::vector<float>(std::size_t{steps} * batch * hidden), c = h;
};

Arrays forward_on_the_host() {
  const UnitDraws draws = sound_draws();
  Arrays of;
  for (int t = 0; t < steps; ++t) {
    for (int row = 0; row < batch; ++row) {
      for (int unit = 0; unit < hidden; ++unit) {
        Unit<LstmCell, float> u = {};
        for (int s = 0; s < gates; ++s) u.slot[s] = of.slots[slot_at(t, row, s, unit)];
        u.previous[0] = t == 0 ? first_h : of.h[state_at(t - 1, row, unit)];
        u.previous[1] = t == 0 ? first_c : of.c[state_at(t - 1, row, unit)];
        float drawn[2];
        draw(draws, t, row, unit, drawn);
        Wrapped<LstmCell>::forward(u, drawn);
        for (int s = 0; s < gates; ++s) of.slots[slot_at(t, row, s, unit)] = u.slot[s];
        of.h[state_at(t, row, unit)] = u.state[0];
        of.c[state_at(t, row, unit)] = u.state[1];
      }
    }
  }
  return of;
}

std::vector<float> gradients_of_output() { return waves(std::size_t{steps} * batch * hidden, 17); }

std::vector<float> backward_on_the_host(const Arrays& kept) {
  const UnitDraws draws = sound_draws();
  const std::vector<float> dy = gradients_of_output();
  std::vector<float> gradients = kept.slots;
  for (int row = 0; row < batch; ++row) {
    for (int unit = 0; unit < hidden; ++unit) {
      Unit<LstmCell, float> u = {};
      for (int t = steps - 1; t >= 0; --t) {
        for (int s = 0; s < gates; ++s) u.slot[s] = kept.slots[slot_at(t, row, s, unit)];
        u.previous[1] = t == 0 ? first_c : kept.c[state_at(t - 1, row, unit)];
        u.state[1] = kept.c[state_at(t, row, unit)];
        u.d_state[0] += dy[state_at(t, row, unit)];
        float drawn[2];
        draw(draws, t, row, unit, drawn);
        Wrapped<LstmCell>::backward(u, drawn);
        for (int s = 0; s < gates; ++s) gradients[slot_at(t, row, s, unit)] = u.slot[s];
      }
    }
  }
  return gradients;
}

/// What both launches are told alike, and the memory behind it.
struct Network {
  DeviceArray<std::int32_t> offsets, lengths;
  DeviceArray<uint4> weights;
  DeviceArray<float> states = DeviceArray<float>(std::vector<float>(batch * hidden, first_h));
  DeviceArray<float> cells = DeviceArray<float>(std::vector<float>(batch * hidden, first_c));
  geometry::StationaryShape shape;

  explicit Network(sluice::PersistentMatrix matrix)
      : offsets({0, batch, 2 * batch, 3 * batch, 4 * batch}),
        lengths(std::vector<std::int32_t>(batch, steps)),
        weights(std::vector<uint4>(static_cast<std::size_t>(
            geometry::stationary_shape(matrix, hidden, gates, sizeof(float)).pieces()))),
        shape(geometry::stationary_shape(matrix, hidden, gates, sizeof(float))) {}

  template <class Launch>
  void fill(Launch& launch, const UnitDraws& draws) const {
    launch.batch = batch;
    launch.hidden_size = hidden;
    launch.offsets = offsets.data();
    launch.lengths = lengths.data();
    launch.blocks = 1;
    launch.tiles = tiles;
    launch.directions = 1;
    launch.mask_scale = 1.0f;
    launch.cell = sluice::Cell::lstm;
    launch.direction[0].packed = weights.data();
    launch.direction[0].draws = draws;
    launch.direction[0].end = steps;
  }
  template <class Kernel, class Launch>
  void run(Kernel kernel, Launch& arguments) const {
    const geometry::SharedLayout layout(
        shape, {.tiles = tiles, .split = 1, .row_tiles = 1, .resident = 0, .buffers = 2}, false);
    launch(kernel,
           {.grid = {1},
            .block = {tiles * 32},
            .shared_bytes = static_cast<std::size_t>(layout.total)},
           arguments);
  }
};

void run_forward(const UnitDraws& draws) {
  const Network network(sluice::PersistentMatrix::rows);
  const Arrays before, expected = forward_on_the_host();
  const DeviceArray<float> slots(before.slots), h(before.h.size()), c(before.c.size());
  const DeviceArray<float> bias(std::vector<float>(gates * hidden, 0.0f));
  ForwardLaunch<float> launch{};
  network.fill(launch, draws);
  launch.training = true;
  ForwardDirection<float>& direction = launch.direction[0];
  direction.gates = slots.data();
  direction.bias = bias.data();
  direction.h_state = network.states.data();
  direction.c_state = network.cells.data();
  direction.c = c.data();
  direction.h = h.data();
  direction.ldh = hidden;
  network.run(forward_kernel<LstmCell, FloatProduct, BlockTiling, BlockExchange, true>, launch);
  expect_equal(c.get(), expected.c);
  expect_equal(h.get(), expected.h);
  expect_equal(slots.get(), expected.slots);
}

void run_backward(const UnitDraws& draws) {
  const Network network(sluice::PersistentMatrix::columns);
  const Arrays kept = forward_on_the_host();
  const DeviceArray<float> slots(kept.slots), h(kept.h), c(kept.c), dy(gradients_of_output());
  const std::vector<float> none(batch * hidden, 0.0f);
  const DeviceArray<float> dh(none), dc(none);
  BackwardLaunch<float> launch{};
  network.fill(launch, draws);
  BackwardDirection<float>& direction = launch.direction[0];
  direction.reverse = true;  // against the direction's order
  direction.gates = slots.data();
  direction.h_initial = network.states.data();
  direction.c_initial = network.cells.data();
  direction.h = h.data();
  direction.ldh = hidden;
  direction.c = c.data();
  direction.dy = dy.data();
  direction.lddy = hidden;
  direction.dh_state = dh.data();
  direction.dc_state = dc.data();
  network.run(backward_kernel<LstmCell, FloatProduct, BlockTiling, BlockExchange, true>, launch);
  expect_equal(slots.get(), backward_on_the_host(kept));
}

/// Backward draws by another seed than forward did.
PLANTED_FAULT(zoneout_backward_draws_anew) { run_backward(sound_draws(faulty ? 4 : 3)); }

/// h is kept by c's rate, c by h's.
PLANTED_FAULT(zoneout_rates_of_h_and_c_swapped) {
  UnitDraws draws = sound_draws();
  if (faulty) std::swap(draws.zoneout.rate[0], draws.zoneout.rate[1]);
  run_forward(draws);
}

/// h and c of a unit are kept by the same number.
PLANTED_FAULT(zoneout_one_number_for_h_and_c) {
  UnitDraws draws = sound_draws();
  if (faulty) draws.zoneout.hidden_size = 0;
  run_forward(draws);
}

/// Training mixes old and new states as evaluation does.
PLANTED_FAULT(zoneout_mixes_in_training) {
  UnitDraws draws = sound_draws();
  draws.zoneout.drops = !faulty;
  run_forward(draws);
}

}  // namespace
}  // namespace cuda_on_cpu::faults
