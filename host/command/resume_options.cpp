#include "host/command/resume_options.h"

#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "host/checkpoint/atomic_file.h"
#include "host/command/options_file.h"
#include "host/json/json.h"
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

// Options given now that had no value then, or that the version which started the run did not know:
// it did what they do by default.
void refuse_new_options(const Subcommand& command, const Json& saved) {
  const std::map<std::string, std::string> now = effective_options(command);
  for (const OptionInEffect& option : command.options()) {
    const auto value = now.find(option.name);
    if (!option.given || value == now.end() || saved.contains(option.name) ||
        free_to_change.count(option.name) != 0) {
      continue;
    }
    const std::string standard = option.flag && option.standard.empty() ? "false" : option.standard;
    require(same_value(value->second, standard),
            "--resume: --" + option.name +
                " was not set when the run was started; leave it out, or start another run");
  }
}

}  // namespace

void save_options(const Subcommand& command, const RunFolder& run) {
  Json options = Json::object();
  for (const auto& [name, value] : effective_options(command)) {
    if (name == "out" || name == "json" || name == "gradient-norms") continue;
    options[name] = paths.count(name) != 0 ? std::filesystem::absolute(value).string() : value;
  }
  const Json document = Json::object({{"version", version}, {"options", options}});
  replace_file(run.config(), {document.dump(2, Json::IllFormed::replace) + "\n"});
}

void take_up_options(Subcommand& command, const RunFolder& run) {
  const std::string name = run.config().string();
  std::ifstream file(run.config());
  require(file.good(), "--resume: " + name + " is missing, so there is no run to go on with in " +
                           run.path().string());
  std::ostringstream text;
  text << file.rdbuf();
  Json options;
  try {
    options = Json::parse(text.str()).at("options");
    for (const auto& [option, value] : options.members()) {
      const auto saved = value.get<std::string>();
      if (!command.has(option)) {
        throw Error::runtime(
            name + ": unknown option '" + option +
            "', which a newer version of Sluice may have written; use that version");
      }
      if (!command.was_given(option)) {
        set_option(command, option, saved, name);
      } else if (free_to_change.count(option) == 0) {
        const std::string now = effective_options(command).at(option);
        require(same_value(now, saved), "--resume: --" + option + " is " + now +
                                            ", but the run was started with " + saved +
                                            "; leave it out, or start another run");
      }
    }
  } catch (const JsonError& error) {
    throw Error::runtime(name + " is damaged: " + error.what());
  }
  refuse_new_options(command, options);
}

}  // namespace sluice
