#include "bench/session.h"

#include <cmath>

#include "bench/layers/output_comparison.h"
#include "bench/layers/random_numbers.h"
#include "bench/machine.h"
#include "bench/peers/peer_list.h"

namespace sluice::bench {
namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", share);
  return text;
}

nlohmann::ordered_json shape_fields(const LayerProblem& problem) {
  const RecurrentConfig& c = problem.config;
  return {{"cell", name_of(c.cell)},
          {"pass", problem.training ? "training" : "inference"},
          {"T", problem.steps},
          {"B", problem.batch},
          {"N", problem.rows()},
          {"I", c.input_size},
          {"H", c.hidden_size},
          {"L", c.num_layers},
          {"D", c.directions()},
          {"dtype", name_of(c.data_type)},
          {"lengths", problem.lengths.empty() ? "equal" : "ragged"},
          {"flops", problem.flops()}};
}

}  // namespace

Session::Session(const Options& options)
    : options_(options),
      device_(Device::open(options.device, options.threads)),
      peers_(make_peers(device_.queue(), options)),
      ring_(device_.queue(), last_cache_bytes(device_.queue())),
      report_(describe_machine(device_, options)) {
  for (const auto& peer : peers_) {
    report_.context()["peers"][peer->name] =
        peer->absent.empty() ? peer->version : "absent: " + peer->absent;
  }
}

void Session::measure_layer(const std::string& suite, const LayerProblem& problem) {
  const RecurrentConfig& config = problem.config;
  ring_.reserve(config.data_type,
                problem.rows() * std::max(config.input_size, config.output_size()));
  const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(config.hidden_size)));
  const std::vector<float> parameters =
      random_numbers(Stream::parameters, parameter_count(recurrent_parameters(config)), scale);

  std::vector<std::unique_ptr<PreparedLayer>> prepared;
  std::vector<Entry> entries;
  std::vector<NamedOutput> expected;
  for (const auto& peer : peers_) {
    Entry entry{suite, problem.name(), peer->name, shape_fields(problem)};
    try {
      if (!peer->absent.empty()) throw Refusal(peer->absent);
      std::unique_ptr<PreparedLayer> layer = peer->prepare(problem, parameters, ring_);
      const std::vector<NamedOutput> outputs = layer->outputs();
      entry.fields["algorithm"] = layer->algorithm();
      entry.fields["bytes"] = layer->bytes();
      if (expected.empty()) {
        expected = outputs;
        entry.fields["second_begin"] = ring_.second_begin();
        entry.fields["outputs"] = digest(outputs);
      } else {
        const Difference largest = largest_difference(outputs, expected);
        entry.fields["difference"] = largest.relative;
        if (largest.relative > allowed_difference(config)) {
          throw Refusal("not timed: its " + largest.output + " differs from Sluice's by " +
                        percent(largest.relative) + " of its norm; allowed are " +
                        percent(allowed_difference(config)));
        }
      }
      entries.push_back(entry);
      prepared.push_back(std::move(layer));
    } catch (const Refusal& refusal) {
      report_.add_error(entry, refusal.what());
    }
  }
  std::vector<Pass> passes;
  for (auto& layer : prepared) {
    passes.push_back([&layer = *layer](std::uint64_t pass) { layer.run(pass); });
  }
  const std::vector<Samples> samples = sample(queue(), passes, options_.sampling);
  for (std::size_t i = 0; i < entries.size(); ++i) report_.add(entries[i], samples[i]);
}

}  // namespace sluice::bench
