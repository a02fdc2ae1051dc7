#include "host/command/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace sluice {
namespace {

constexpr int most_cells = 30;

int terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progress_line(const ProgressReport& report, const std::string& examples, int width) {
  const double part = report.batches > 0 ? static_cast<double>(report.batch) / report.batches : 1.0;
  const int left = static_cast<int>(std::lround(std::min(report.seconds_left, 359999.0)));
  const std::string epoch =
      "epoch " + std::to_string(report.epoch) + "/" + std::to_string(report.epochs);
  char rest[160];
  std::snprintf(rest, sizeof rest, " %3d%%  loss %.4f  accuracy %.4f  %.0f %s/s  %d:%02d left",
                static_cast<int>(part * 100.0), report.loss, report.accuracy,
                report.examples_per_second, examples.c_str(), left / 60, left % 60);
  const int room = width - static_cast<int>(epoch.size() + std::string(rest).size()) - 3;
  const int cells = std::min(room, most_cells);
  std::string bar;
  if (cells > 0) {
    bar.assign(static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * cells), '=');
    if (static_cast<int>(bar.size()) < cells) bar += '>';
    bar.resize(static_cast<std::size_t>(cells), ' ');
    bar = " [" + bar + "]";
  }
  return (epoch + bar + rest).substr(0, static_cast<std::size_t>(std::max(width, 0)));
}

ProgressBar::ProgressBar(std::string examples)
    : examples_(std::move(examples)), terminal_(::isatty(STDERR_FILENO) == 1) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  color_ =
      (no_color == nullptr || *no_color == '\0') && kind != nullptr && std::string(kind) != "dumb";
}

void ProgressBar::show(const ProgressReport& report) {
  if (!terminal_) return;
  const std::string line = progress_line(report, examples_, terminal_width() - 1);
  std::fprintf(stderr, color_ ? "\r\x1b[36m%s\x1b[0m\x1b[K" : "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressBar::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace sluice
