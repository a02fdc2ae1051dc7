#include "bench/session.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/layers/input_product.h"
#include "bench/layers/output_comparison.h"
#include "bench/layers/random_numbers.h"
#include "bench/machine.h"
#include "bench/measure/statistics.h"
#include "bench/peers/peer_list.h"
#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

std::string two_digits(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", share);
  return text;
}

std::vector<float> parameters_of(const RecurrentConfig& config) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.hidden_size));
  return random_numbers(Stream::parameters, parameter_count(recurrent_parameters(config)),
                        static_cast<float>(scale));
}

Entry layer_entry(const std::string& suite, const LayerProblem& problem,
                  const std::string& implementation, const Limits& limits) {
  const RecurrentConfig& c = problem.config;
  Entry entry{suite,
              problem.name(),
              implementation,
              {{"cell", name_of(c.cell)},
               {"pass", problem.training ? "training" : "inference"},
               {"T", problem.steps},
               {"B", problem.batch},
               {"N", problem.rows()},
               {"I", c.input_size},
               {"H", c.hidden_size},
               {"L", c.num_layers},
               {"D", c.directions()},
               {"dtype", number_name(c)},
               {"input_dropout", c.input_dropout},
               {"layer_dropout", c.layer_dropout},
               {"recurrent_dropout", c.recurrent_dropout},
               {"flops", problem.flops()},
               {"compulsory_bytes", problem.compulsory_bytes()},
               {"limit_us", limits.layer_seconds(problem) * 1e6}}};
  if (!problem.lengths.empty()) entry.fields["lengths"] = problem.lengths;
  return entry;
}

Pass pass_of(PreparedLayer& layer) {
  return [&layer](std::uint64_t pass) { layer.run(pass); };
}

std::int64_t widest(const RecurrentConfig& config) {
  return std::max(config.input_size, config.output_size());
}

}  // namespace

Session::Session(const Options& options)
    : options_(options),
      device_(Device::open(options.device, options.threads)),
      peers_(make_peers(device_.queue(), options)),
      limits_(device_.queue(), last_cache_bytes(device_.queue(), options)),
      report_(describe_machine(device_, options)) {
  require(options.math == MatrixMath::ieee || device_.kind() == DeviceKind::cuda,
          "--dtype tf32 needs a CUDA device: the CPU's products are IEEE float32");
  report_.context()["limits"] = limits_.describe(options.data_type, options.math);
  for (const auto& peer : peers_) {
    report_.context()["peers"][peer->name] =
        peer->absent.empty() ? peer->version : "absent: " + peer->absent;
  }
}

void Session::add_failure(const std::string& suite, const std::string& problem,
                          const std::string& message) {
  ++failures_;
  report_.add_error({suite, problem, peers_.front()->name}, message);
}

void Session::measure(std::vector<Entry> entries, const std::vector<Pass>& passes,
                      const Annotate& annotate, bool graphs) {
  SamplingOptions sampling = options_.sampling;
  sampling.graphs = sampling.graphs && graphs;
  const std::vector<Samples> samples = sample(queue(), passes, sampling);
  std::vector<double> medians;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    nlohmann::ordered_json& fields = entries[i].fields;
    if (!samples[i].error.empty() && !samples[i].real.empty())
      fields["cut_short"] = samples[i].error;
    medians.push_back(samples[i].real.empty() ? NAN : statistics(samples[i].real).median);
    if (samples[i].real.empty()) continue;
    if (graphs && queue().device == DeviceKind::cuda) fields["graph"] = samples[i].graph;
    if (fields.contains("flops")) {
      fields["tflops"] = fields["flops"].get<double>() / medians[i] * 1e-12;
    }
    if (fields.contains("limit_us")) {
      fields["percent_of_limit"] = fields["limit_us"].get<double>() * 1e-4 / medians[i];
    }
  }
  if (annotate) annotate(entries, medians);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (samples[i].real.empty()) {
      ++failures_;
      report_.add_error(entries[i], "failed while it was timed: " + samples[i].error);
    } else {
      report_.add(entries[i], samples[i]);
    }
  }
}

void Session::measure_layer(const LayerMeasurement& measurement) {
  const LayerProblem& problem = measurement.problem;
  const RecurrentConfig& config = problem.config;
  std::vector<std::unique_ptr<LayerPeer>> named;
  if (!measurement.peers.empty()) named = make_named_peers(queue(), measurement.peers);
  const auto& peers = measurement.peers.empty() ? peers_ : named;
  const auto entry_of = [&](const std::string& implementation) {
    Entry entry = layer_entry(measurement.suite, problem, implementation, limits_);
    entry.problem = measurement.group + entry.problem;
    const auto fields = measurement.fields.find(implementation);
    if (fields != measurement.fields.end()) entry.fields.update(fields->second);
    return entry;
  };
  InputRing& ring = this->ring(config.data_type);
  ring.reserve(config.data_type, problem.rows() * widest(config));
  const std::vector<float> parameters = parameters_of(config);

  std::vector<std::unique_ptr<PreparedLayer>> prepared;
  std::vector<Entry> entries;
  std::vector<Pass> passes;
  std::vector<NamedOutput> expected;
  for (const auto& peer : peers) {
    Entry entry = entry_of(peer->name);
    try {
      if (!peer->absent.empty()) throw Refusal(peer->absent);
      std::unique_ptr<PreparedLayer> layer = peer->prepare(problem, parameters, ring);
      const std::vector<NamedOutput> outputs = layer->outputs();
      entry.fields["algorithm"] = layer->algorithm();
      entry.fields["bytes"] = layer->bytes();
      if (expected.empty()) {
        expected = outputs;
        entry.fields["second_begin"] = ring.second_begin();
        if (measurement.with_digest) entry.fields["outputs"] = digest(outputs);
      } else {
        const Difference largest = largest_difference(outputs, expected);
        entry.fields["difference"] = largest.relative;
        if (largest.relative > allowed_difference(config)) {
          throw Refusal("not timed: its " + largest.output + " differs from Sluice's by " +
                        two_digits(largest.relative) + " of its norm; allowed are " +
                        two_digits(allowed_difference(config)));
        }
      }
      passes.push_back(pass_of(*layer));
      entries.push_back(std::move(entry));
      prepared.push_back(std::move(layer));
    } catch (const std::exception& refusal) {  // a Refusal, or an Error: memory, a library's
      report_.add_error(entry, refusal.what());
    }
  }
  if (prepared.empty()) return;
  if (!measurement.with_input_product) return measure(entries, passes, {}, true);

  // Last in turn, and not an entry of its own: what it takes is said of Sluice's.
  InputProduct product(queue(), problem, ring);
  passes.push_back([&product](std::uint64_t pass) { product.run(pass); });
  entries.push_back(entry_of(kInputProduct));
  entries.back().fields["flops"] = problem.input_product_flops();
  entries.back().fields.erase("limit_us");
  measure(
      entries, passes,
      [](std::vector<Entry>& all, const std::vector<double>& medians) {
        if (std::isnan(medians.back())) return;
        for (std::size_t i = 0; i + 1 < all.size(); ++i) {
          if (std::isnan(medians[i])) continue;
          all[i].fields["us_without_input_product"] =
              std::max(0.0, medians[i] - medians.back()) * 1e6;
        }
      },
      true);
}

InputRing& Session::ring(DataType type) {
  const Queue& queue = device_.queue();
  return rings_.try_emplace(type, queue, last_cache_bytes(queue, options_)).first->second;
}

void Session::measure_together(const std::string& suite, const std::string& group,
                               const std::vector<LayerProblem>& problems,
                               const Annotate& annotate) {
  for (const LayerProblem& problem : problems) {
    ring(problem.config.data_type)
        .reserve(problem.config.data_type, problem.rows() * widest(problem.config));
  }
  std::vector<std::unique_ptr<PreparedLayer>> prepared;
  std::vector<Entry> entries;
  std::vector<Pass> passes;
  for (const LayerProblem& problem : problems) {
    Entry entry = layer_entry(suite, problem, peers_.front()->name, limits_);
    entry.problem = group + "/" + entry.problem;
    try {
      InputRing& own = ring(problem.config.data_type);
      prepared.push_back(peers_.front()->prepare(problem, parameters_of(problem.config), own));
      entry.fields["algorithm"] = prepared.back()->algorithm();
      entry.fields["bytes"] = prepared.back()->bytes();
      entry.fields["second_begin"] = own.second_begin();
      entry.fields["outputs"] = digest(prepared.back()->outputs());
      passes.push_back(pass_of(*prepared.back()));
      entries.push_back(std::move(entry));
    } catch (const std::exception& refusal) {
      report_.add_error(entry, refusal.what());
    }
  }
  if (!entries.empty()) measure(entries, passes, annotate, true);
}

}  // namespace sluice::bench
