// Whole training steps of the IMDB network: embedding, layer, head, loss, backward, Adam.
#include <cmath>
#include <cstdio>

#include "bench/layers/training_step.h"
#include "bench/suites/suites.h"
#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

// Products of the recurrent layer and its inputs, as LayerProblem counts them, in training.
double step_flops(const StepProblem& problem, double tokens) {
  return (problem.recipe ? 2 : 1) * 3 * 2 * tokens * gate_count(problem.cell) *
         StepProblem::kHidden * (StepProblem::kEmbedding + StepProblem::kHidden);
}

Entry step_entry(const StepProblem& problem, const TrainingStep& step, const std::string& suite,
                 const std::string& group, const Limits& limits) {
  const double flops = step_flops(problem, step.tokens());
  Entry entry{suite,
              group + problem.name(),
              "sluice",
              {{"cell", name_of(problem.cell)},
               {"pass", "training step"},
               {"B", StepProblem::kBatch},
               {"N", step.tokens()},
               {"V", problem.vocabulary},
               {"E", StepProblem::kEmbedding},
               {"H", StepProblem::kHidden},
               {"batches", problem.batches},
               {"bucketed", problem.bucketed},
               {"dtype", problem.math == MatrixMath::tf32 ? "tf32" : "float32"},
               {"recipe", problem.recipe},
               {"longest", problem.longest},
               {"lengths", "made up"},  // IMDB's distribution, without its files: review_length()
               {"flops", flops},
               {"limit_us", limits.kernel_seconds(flops, 0) * 1e6},
               {"bytes", step.bytes()},
               {"first_loss", step.first_loss()}}};
  return entry;
}

void add_rates(Entry& entry, double seconds) {
  if (std::isnan(seconds)) return;
  entry.fields["reviews_per_second"] = StepProblem::kBatch / seconds;
  entry.fields["tokens_per_second"] = entry.fields["N"].get<double>() / seconds;
  char note[64];
  std::snprintf(note, sizeof note, "%.0f reviews/s", StepProblem::kBatch / seconds);
  entry.fields["note"] = note;
}

}  // namespace

void measure_training_step(Session& session, const std::string& suite, const std::string& group,
                           const StepProblem& problem, const nlohmann::ordered_json& fields) {
  TrainingStep step(session.queue(), problem);
  Entry entry = step_entry(problem, step, suite, group, session.limits());
  entry.fields.update(fields);
  session.measure({entry}, {[&step](std::uint64_t pass) { step.run(pass); }},
                  [](auto& entries, const auto& medians) { add_rates(entries[0], medians[0]); });
}

std::vector<Case> imdb_cases(const Options&) {
  std::vector<Case> cases;
  for (const bool bucketed : {true, false}) {
    for (const Cell cell : {Cell::lstm, Cell::gru}) {
      StepProblem problem;
      problem.cell = cell;
      problem.bucketed = bucketed;
      cases.push_back({"imdb", problem.name(), [problem](Session& session) {
                         measure_training_step(session, "imdb", "", problem,
                                               nlohmann::ordered_json::object());
                       }});
    }
  }
  return cases;
}

void measure_vocabularies(Session& session) {
  std::vector<std::unique_ptr<TrainingStep>> steps;
  std::vector<Entry> entries;
  std::vector<Pass> passes;
  for (const std::int64_t vocabulary : {1000, 10000, 100000}) {
    StepProblem problem;
    problem.vocabulary = vocabulary;
    steps.push_back(std::make_unique<TrainingStep>(session.queue(), problem));
    entries.push_back(step_entry(problem, *steps.back(), "scaling", "V/", session.limits()));
    passes.push_back([&step = *steps.back()](std::uint64_t pass) { step.run(pass); });
  }
  session.measure(entries, passes, [](auto& all, const auto& medians) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      add_rates(all[i], medians[i]);
      all[i].fields["axis"] = "V";
      all[i].fields["value"] = all[i].fields["V"];
    }
  });
}

}  // namespace sluice::bench
