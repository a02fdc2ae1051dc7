// How the learning rate changes over a training.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

enum class Schedule {
  constant,
  warmup,  ///< rises linearly to the base rate, then stays
  cosine,  ///< falls along half a cosine to the minimum at the last step (Loshchilov & Hutter 2017)
  step,    ///< times `factor` after every `epochs` epochs
  plateau,  ///< times `factor` after `epochs` epochs in a row without a better validation result
};

const char* name_of(Schedule schedule);
/// Errors: usage, naming the choices.
Schedule schedule_from_name(const std::string& name);

struct ScheduleConfig {
  Schedule schedule = Schedule::constant;
  double learning_rate = 1e-3;  ///< the base rate
  double minimum = 0.0;         ///< the rate never falls below it
  double factor = 0.5;          ///< in (0, 1]: step and plateau
  int epochs = 1;               ///< >= 1: step and plateau
  /// Steps of linear warm-up before any schedule; -1: a tenth of all steps with Schedule::warmup,
  /// none with the others.
  std::int64_t warmup_steps = -1;

  /// Errors: usage, naming the option.
  void validate() const;
};

/// Where a training is, as the schedule sees it.
struct ScheduleInput {
  std::int64_t step = 0;         ///< steps taken, from 0
  std::int64_t total_steps = 1;  ///< of all epochs
  std::int64_t steps_per_epoch = 1;
  int plateaus = 0;  ///< how often the rate has been reduced
};

/// The rate of step `input.step`. A pure function, so that a resumed training goes on with it.
double learning_rate(const ScheduleConfig& config, const ScheduleInput& input);

}  // namespace sluice
