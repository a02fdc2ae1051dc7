#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "host/classifier.h"
#include "host/command/commands.h"
#include "host/command/standard_output.h"
#include "host/command/text_lines.h"
#include "host/data/foreign_format.h"
#include "host/json/json.h"
#include "host/text/utf8.h"
#include "kernels/base/error.h"

namespace sluice {
namespace {

struct PredictOptions {
  std::string run, file, device = "auto";
  std::int32_t batch = 64;
  int threads = 0;
  bool json = false, strict = false, plain = false;
};

class PredictCommand {
 public:
  explicit PredictCommand(const PredictOptions& options) : options_(options) {}

  int run() {
    require(options_.batch >= 1,
            "--batch must be at least 1, got " + std::to_string(options_.batch));
    TextLines lines(options_.file);
    name_ = lines.name();
    const Device device = Device::open(options_.device, options_.threads);
    if (!device.notice().empty()) write_note(device.notice());
    Classifier classifier(device, options_.run);

    // Someone who types wants an answer after each line.
    const std::size_t batch = lines.from_terminal() ? 1 : static_cast<std::size_t>(options_.batch);
    if (!options_.plain) {
      // A compressed file may have no line to wait for.
      refuse(find_binary_format(lines.beginning(telling_bytes)));
    }
    bool judged = options_.plain;
    std::vector<std::string> texts;
    const auto answer_all = [&] {
      if (!std::exchange(judged, true)) judge(lines);
      lines.forget_beginning();
      answer(classifier, texts);
    };
    for (std::string line; lines.next(line);) {
      texts.push_back(checked(std::move(line)));
      if (texts.size() == batch) answer_all();
    }
    answer_all();
    report();
    return 0;
  }

 private:
  // Before the first answer: what the lines that are there show.
  void judge(TextLines& lines) const {
    std::string_view begin = lines.beginning(telling_bytes);
    refuse(find_binary_format(begin));
    if (begin.starts_with("\xEF\xBB\xBF")) begin.remove_prefix(3);
    refuse(find_json(begin, lines.ended()));
    refuse(find_table(begin, lines.ended()));
  }

  void refuse(const std::optional<ForeignFormat>& format) const {
    if (!format) return;
    const bool from_file = !options_.file.empty() && options_.file != "-";
    std::string remedy = "make it plain UTF-8";
    if (!format->filter.empty()) {
      remedy = "try\n  " +
               (from_file ? format->filter + " < " + for_shell(options_.file)
                          : "... | " + format->filter) +
               " | sluice predict " + for_shell(options_.run) + "\n";
    }
    throw Error::usage(name_ + ": looks like " + format->name + ", expected one text a line; " +
                       remedy + (remedy.back() == '\n' ? "" : " ") +
                       "or take its lines as they are with --plain");
  }

  static std::string for_shell(const std::string& word) {
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("/._-+=:,@%").find(c) != std::string_view::npos;
    };
    if (std::all_of(word.begin(), word.end(), plain)) return word;
    std::string quoted = "'";
    for (const char c : word) c == '\'' ? quoted += "'\\''" : quoted += c;
    return quoted + "'";
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
        const Json line =
            Json::object({{"label", label}, {"probability", probability}, {"text", texts[i]}});
        write_line(line.dump(-1, Json::IllFormed::replace));
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

std::function<int()> add_predict_command(CommandLine& line) {
  const auto options = std::make_shared<PredictOptions>();
  Subcommand command = line.add_subcommand(
      "predict", "Classify texts, one a line: label, its probability and the text, by tabs");
  command.show_defaults();
  command.option("run", options->run, "Folder of the run").required();
  command.option("file", options->file,
                 "Texts, one a line, as plain UTF-8; standard input without it, or for -");
  command.option("--batch", options->batch, "Lines at a time");
  command.option("--device", options->device, "auto, cpu, cuda or cuda:N");
  command.option("--threads", options->threads, "CPU threads; 0: one for each processor");
  command.flag("--json", options->json, "JSON lines of label, probability and text");
  command.flag("--strict", options->strict, "Stop at a line of ill-formed UTF-8 or without text");
  command.flag("--plain", options->plain,
               "Take any lines as they are; else what looks like CSV, TSV, JSON, UTF-16 or a "
               "compressed file is refused");
  return [options] { return PredictCommand(*options).run(); };
}

}  // namespace sluice
