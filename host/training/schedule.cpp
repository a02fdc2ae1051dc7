#include "host/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/base/error.h"

namespace sluice {

const char* name_of(Schedule schedule) {
  switch (schedule) {
    case Schedule::constant: return "constant";
    case Schedule::warmup: return "warmup";
    case Schedule::cosine: return "cosine";
    case Schedule::step: return "step";
    case Schedule::plateau: return "plateau";
  }
  return "?";
}

Schedule schedule_from_name(const std::string& name) {
  for (const Schedule schedule : {Schedule::constant, Schedule::warmup, Schedule::cosine,
                                  Schedule::step, Schedule::plateau}) {
    if (name == name_of(schedule)) return schedule;
  }
  throw Error::usage("schedule must be constant, warmup, cosine, step or plateau, got '" + name +
                     "'");
}

void ScheduleConfig::validate() const {
  require(learning_rate > 0.0 && std::isfinite(learning_rate),
          "lr must be a positive number, got " + std::to_string(learning_rate));
  require(minimum >= 0.0 && minimum <= learning_rate,
          "min-lr must be between 0 and lr, got " + std::to_string(minimum));
  require(factor > 0.0 && factor <= 1.0,
          "schedule-factor must be in (0, 1], got " + std::to_string(factor));
  require(epochs >= 1, "schedule-epochs must be at least 1, got " + std::to_string(epochs));
  require(warmup_steps >= -1,
          "warmup-steps must be 0 or more, got " + std::to_string(warmup_steps));
}

double learning_rate(const ScheduleConfig& config, const ScheduleInput& input) {
  std::int64_t warmup = config.warmup_steps;
  if (warmup < 0) warmup = config.schedule == Schedule::warmup ? input.total_steps / 10 : 0;
  if (input.step < warmup) {
    return config.learning_rate * static_cast<double>(input.step + 1) / static_cast<double>(warmup);
  }
  double rate = config.learning_rate;
  switch (config.schedule) {
    case Schedule::constant:
    case Schedule::warmup: break;
    case Schedule::cosine: {
      const double length =
          static_cast<double>(std::max<std::int64_t>(input.total_steps - warmup, 1));
      const double part = std::min(1.0, static_cast<double>(input.step - warmup) / length);
      rate = config.minimum +
             (rate - config.minimum) * 0.5 * (1.0 + std::cos(std::numbers::pi * part));
      break;
    }
    case Schedule::step: {
      const std::int64_t epoch = input.step / std::max<std::int64_t>(input.steps_per_epoch, 1);
      rate *= std::pow(config.factor, static_cast<double>(epoch / config.epochs));
      break;
    }
    case Schedule::plateau: rate *= std::pow(config.factor, input.plateaus); break;
  }
  return std::max(rate, config.minimum);
}

}  // namespace sluice
