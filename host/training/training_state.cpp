#include "host/training/training_state.h"

#include "host/json/json.h"
#include "kernels/base/error.h"

namespace sluice {

std::string TrainingState::to_json() const {
  const Json json =
      Json::object({{"epoch", epoch},
                    {"batch", batch},
                    {"step", step},
                    {"totals", totals},
                    {"plateaus", plateaus},
                    {"epochs_since_improvement", epochs_since_improvement},
                    {"epochs_since_reduction", epochs_since_reduction},
                    {"best_epoch", best_epoch},
                    {"best_loss", best_loss},
                    {"best_accuracy", best_accuracy},
                    {"loss_scale", Json::object({{"scale", loss_scale.scale},
                                                 {"clean_steps", loss_scale.clean_steps},
                                                 {"skipped_steps", loss_scale.skipped_steps}})},
                    {"data_fingerprint", data_fingerprint}});
  return json.dump();
}

TrainingState TrainingState::from_json(const std::string& json, const std::string& where) {
  TrainingState state;
  try {
    const Json object = Json::parse(json);
    object.at("epoch").get_to(state.epoch);
    object.at("batch").get_to(state.batch);
    object.at("step").get_to(state.step);
    object.at("totals").get_to(state.totals);
    object.at("plateaus").get_to(state.plateaus);
    object.at("epochs_since_improvement").get_to(state.epochs_since_improvement);
    object.at("epochs_since_reduction").get_to(state.epochs_since_reduction);
    object.at("best_epoch").get_to(state.best_epoch);
    object.at("best_loss").get_to(state.best_loss);
    object.at("best_accuracy").get_to(state.best_accuracy);
    if (const Json* const scaling = object.find("loss_scale")) {
      scaling->at("scale").get_to(state.loss_scale.scale);
      scaling->at("clean_steps").get_to(state.loss_scale.clean_steps);
      scaling->at("skipped_steps").get_to(state.loss_scale.skipped_steps);
    }
    object.at("data_fingerprint").get_to(state.data_fingerprint);
  } catch (const JsonError& error) {
    throw Error::runtime(where + ": the training's state cannot be read: " + error.what());
  }
  return state;
}

}  // namespace sluice
