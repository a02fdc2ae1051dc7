#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "host/classifier.h"
#include "host/command/commands.h"
#include "host/command/standard_output.h"
#include "host/text/utf8.h"
#include "kernels/error.h"

namespace sluice {
namespace {

struct PredictOptions {
  std::string run, file, device = "auto";
  std::int32_t batch = 64;
  int threads = 0;
  bool json = false, strict = false;
};

class PredictCommand {
 public:
  explicit PredictCommand(const PredictOptions& options)
      : options_(options),
        name_(options.file.empty() || options.file == "-" ? "standard input" : options.file) {}

  int run() {
    require(options_.batch >= 1,
            "--batch must be at least 1, got " + std::to_string(options_.batch));
    const bool from_stdin = options_.file.empty() || options_.file == "-";
    std::ifstream file;
    if (!from_stdin) open(file);
    const Device device = Device::open(options_.device, options_.threads);
    if (!device.notice().empty()) write_note(device.notice());
    Classifier classifier(device, options_.run);

    // Someone who types wants an answer after each line.
    const bool typed = from_stdin && ::isatty(STDIN_FILENO) == 1;
    const std::size_t batch = typed ? 1 : static_cast<std::size_t>(options_.batch);
    std::istream& input = from_stdin ? std::cin : file;
    std::vector<std::string> texts;
    for (std::string line; std::getline(input, line);) {
      texts.push_back(checked(std::move(line)));
      if (texts.size() == batch) answer(classifier, texts);
    }
    if (input.bad()) throw Error::runtime("cannot read " + name_ + ": " + std::strerror(errno));
    answer(classifier, texts);
    report();
    return 0;
  }

 private:
  void open(std::ifstream& file) const {
    std::error_code failed;
    const auto status = std::filesystem::status(options_.file, failed);
    require(std::filesystem::exists(status), options_.file + ": no such file");
    require(!std::filesystem::is_directory(status),
            options_.file + ": is a folder, expected a file with one text a line");
    file.open(options_.file, std::ios::binary);
    require(file.good(), "cannot read " + options_.file + ": " + std::strerror(errno));
    require(file.peek() != std::ifstream::traits_type::eof(),
            options_.file + ": the file is empty, expected one text a line");
  }

  // The line without a carriage return at its end. Bad lines are counted and answered all the same,
  // so that every line of the input has one of the output.
  std::string checked(std::string line) {
    ++line_;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line_ == 1 && line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);
    if (!is_valid_utf8(line)) {
      const std::string where = name_ + ":" + std::to_string(line_);
      require(!options_.strict, where + ": not valid UTF-8");
      if (++ill_formed_ == 1) first_ill_formed_ = where;
    }
    if (line.find_first_not_of(" \t\v\f") == std::string::npos) {
      const std::string where = name_ + ":" + std::to_string(line_);
      require(!options_.strict, where + ": no text");
      if (++empty_ == 1) first_empty_ = where;
    }
    return line;
  }

  void answer(Classifier& classifier, std::vector<std::string>& texts) const {
    const std::vector<Prediction> predictions = classifier.predict(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string& label = classifier.labels().name(predictions[i].label);
      const double probability = predictions[i].probability;
      if (options_.json) {
        const nlohmann::ordered_json line = {
            {"label", label}, {"probability", probability}, {"text", texts[i]}};
        write_line(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
      } else {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.6f", probability);
        write_line(label + "\t" + digits + "\t" + texts[i]);
      }
    }
    texts.clear();
  }

  void report() const {
    if (ill_formed_ > 0) {
      write_note(std::to_string(ill_formed_) +
                 " line(s) with ill-formed UTF-8, read as U+FFFD; the "
                 "first is " +
                 first_ill_formed_);
    }
    if (empty_ > 0) {
      write_note(std::to_string(empty_) +
                 " line(s) without text, taken as one unknown word; the "
                 "first is " +
                 first_empty_);
    }
  }

  const PredictOptions& options_;
  std::string name_;
  std::int64_t line_ = 0, ill_formed_ = 0, empty_ = 0;
  std::string first_ill_formed_, first_empty_;
};

}  // namespace

std::function<int()> add_predict_command(CLI::App& app) {
  const auto options = std::make_shared<PredictOptions>();
  CLI::App& command = *app.add_subcommand(
      "predict", "Classify texts, one a line: label, its probability and the text, by tabs");
  command.option_defaults()->always_capture_default();
  command.add_option("run", options->run, "Folder of the run")->required();
  command.add_option("file", options->file,
                     "Texts, one a line; standard input without it, or for -");
  command.add_option("--batch", options->batch, "Lines at a time");
  command.add_option("--device", options->device, "auto, cpu, cuda or cuda:N");
  command.add_option("--threads", options->threads, "CPU threads; 0: one for each processor");
  command.add_flag("--json", options->json, "JSON lines of label, probability and text");
  command.add_flag("--strict", options->strict,
                   "Stop at a line of ill-formed UTF-8 or without text");
  return [options] { return PredictCommand(*options).run(); };
}

}  // namespace sluice
