#include "host/command/resume_options.h"

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "host/checkpoint/atomic_file.h"
#include "host/command/options_file.h"
#include "host/version.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

// A resumed run may have others of these. That the data are the same is checked by content.
const std::set<std::string> free_to_change = {
    "data",    "test",   "test-count", "validation", "epochs",         "patience", "out",
    "threads", "device", "json",       "strict",     "gradient-norms", "no-graph"};

const std::set<std::string> paths = {"data", "test", "validation"};

bool same_value(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text, double& value) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc() && end == text.data() + text.size();
  };
  double x = 0.0, y = 0.0;
  return a == b || (number(a, x) && number(b, y) && x == y);
}

}  // namespace

void save_options(const CLI::App& command, const RunFolder& run) {
  nlohmann::ordered_json options = nlohmann::ordered_json::object();
  for (const auto& [name, value] : effective_options(command)) {
    if (name == "out" || name == "json" || name == "gradient-norms") continue;
    options[name] = paths.count(name) != 0 ? std::filesystem::absolute(value).string() : value;
  }
  const nlohmann::ordered_json document = {{"version", version}, {"options", options}};
  const std::string text =
      document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  replace_file(run.config(), {text});
}

void take_up_options(CLI::App& command, const RunFolder& run) {
  const std::string name = run.config().string();
  std::ifstream file(run.config());
  require(file.good(), "--resume: " + name + " is missing, so there is no run to go on with in " +
                           run.path().string());
  nlohmann::json options;
  try {
    options = nlohmann::json::parse(file).at("options");
    for (const auto& [option, value] : options.items()) {
      const auto saved = value.get<std::string>();
      if (command.get_option_no_throw("--" + option) == nullptr) {
        throw Error::runtime(name + ": unknown option '" + option + "'");
      }
      if (!was_given(command, option)) {
        set_option(command, option, saved, name);
      } else if (free_to_change.count(option) == 0) {
        const std::string now = effective_options(command).at(option);
        require(same_value(now, saved), "--resume: --" + option + " is " + now +
                                            ", but the run was started with " + saved +
                                            "; leave it out, or start another run");
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error::runtime(name + " is damaged: " + error.what());
  }
  // Options given now that had no value then.
  for (const auto& [option, now] : effective_options(command)) {
    if (!options.contains(option) && free_to_change.count(option) == 0 &&
        was_given(command, option)) {
      throw Error::usage("--resume: --" + option +
                         " was not set when the run was started; leave "
                         "it out, or start another run");
    }
  }
}

}  // namespace sluice
