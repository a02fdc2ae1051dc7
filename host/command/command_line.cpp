// The one source of the product that includes CLI11: its headers take many seconds to compile.
#include "host/command/command_line.h"

#include <CLI/CLI.hpp>

#include "kernels/base/error.h"

namespace sluice {
namespace {

bool takes_no_value(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

}  // namespace

CommandOption& CommandOption::required() {
  option_->required();
  return *this;
}

CommandOption& CommandOption::group(const std::string& heading) {
  option_->group(heading);
  return *this;
}

CommandOption& CommandOption::one_of(const std::vector<std::string>& choices) {
  option_->check(CLI::IsMember(choices));
  return *this;
}

CommandOption& CommandOption::between(double least, double most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

CommandOption& CommandOption::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

std::string Subcommand::name() const { return app_->get_name(); }

void Subcommand::footer(const std::string& text) { app_->footer(text); }

void Subcommand::begin_group(const std::string& heading) {
  app_->option_defaults()->group(heading);
}

void Subcommand::show_defaults(bool show) { app_->option_defaults()->always_capture_default(show); }

CommandOption Subcommand::option(const char* name, std::string& value, const char* description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Subcommand::option(const char* name, std::int32_t& value, const char* description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Subcommand::option(const char* name, std::int64_t& value, const char* description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Subcommand::option(const char* name, std::uint64_t& value, const char* description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Subcommand::option(const char* name, double& value, const char* description) {
  return CommandOption(app_->add_option(name, value, description));
}

CommandOption Subcommand::flag(const char* name, bool& value, const char* description) {
  return CommandOption(app_->add_flag(name, value, description));
}

bool Subcommand::has(const std::string& name) const {
  return app_->get_option_no_throw("--" + name) != nullptr;
}

bool Subcommand::is_flag(const std::string& name) const {
  return takes_no_value(*app_->get_option("--" + name));
}

bool Subcommand::was_given(const std::string& name) const {
  return app_->get_option("--" + name)->count() > 0;
}

void Subcommand::set(const std::string& name, const std::string& value) {
  CLI::Option& option = *app_->get_option("--" + name);
  try {
    option.add_result(value);
    option.run_callback();
  } catch (const CLI::Error& error) {
    throw Error::usage(error.what());
  }
}

std::vector<OptionInEffect> Subcommand::options() const {
  std::vector<OptionInEffect> found;
  const CLI::App& app = *app_;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    const bool given = option->count() > 0;
    found.push_back({option->get_lnames().front(),
                     given ? option->results().back() : option->get_default_str(),
                     takes_no_value(*option), given, option->get_default_str()});
  }
  return found;
}

CommandLine::CommandLine(const std::string& name, const std::string& description,
                         const std::string& version)
    : app_(std::make_unique<CLI::App>(description, name)) {
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Subcommand CommandLine::add_subcommand(const std::string& name, const std::string& description) {
  return Subcommand(app_->add_subcommand(name, description));
}

std::optional<std::string> CommandLine::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app_->exit(error);  // prints what was asked for
      return std::nullopt;
    }
    const auto chosen = app_->get_subcommands();
    const std::string name = app_->get_name();
    throw Error::usage(std::string(error.what()) + "; see " +
                       (chosen.empty() ? name : name + " " + chosen.front()->get_name()) +
                       " --help");
  }
  return app_->get_subcommands().front()->get_name();
}

std::string command_line_library_version() { return CLI11_VERSION; }

}  // namespace sluice
