#include "host/training/training_state.h"

#include "host/json/json_fields.h"

namespace sluice {
namespace {

JsonFields fields_of(LossScale& scale) {
  return {json_field("scale", scale.scale), json_field("clean_steps", scale.clean_steps),
          json_field("skipped_steps", scale.skipped_steps)};
}

JsonFields fields_of(TrainingState& state) {
  return {json_field("epoch", state.epoch),
          json_field("batch", state.batch),
          json_field("step", state.step),
          json_field("totals", state.totals),
          json_field("plateaus", state.plateaus),
          json_field("epochs_since_improvement", state.epochs_since_improvement),
          json_field("epochs_since_reduction", state.epochs_since_reduction),
          json_field("best_epoch", state.best_epoch),
          json_field("best_loss", state.best_loss),
          json_field("best_accuracy", state.best_accuracy),
          json_field("loss_scale", fields_of(state.loss_scale)),
          json_field("data_fingerprint", state.data_fingerprint)};
}

}  // namespace

std::string TrainingState::to_json() const {
  TrainingState copy = *this;
  return write_fields(fields_of(copy), {}).dump();
}

TrainingState TrainingState::from_json(const std::string& json, const std::string& where) {
  TrainingState state;
  read_fields(json, fields_of(state), where, "the training's state");
  return state;
}

}  // namespace sluice
