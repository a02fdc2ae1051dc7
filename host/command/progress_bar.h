// The bar a training shows on a terminal.
#pragma once

#include <string>

#include "host/training/trainer.h"

namespace sluice {

/// One line on standard error, redrawn in place; nothing at all if standard error is no terminal.
/// NO_COLOR (https://no-color.org) turns the colour off.
class ProgressBar {
 public:
  /// `examples`: what they are called, such as "reviews".
  explicit ProgressBar(std::string examples);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const ProgressReport& report);
  /// Takes the line away, so that other output can follow.
  void clear();

 private:
  std::string examples_;
  bool terminal_;
  bool color_;
  bool shown_ = false;
};

/// "epoch 2/5 [=====>    ]  52%  loss 0.4312  accuracy 0.8021  1250 reviews/s  0:07 left": the bar
/// takes what `width` columns leave for it.
std::string progress_line(const ProgressReport& report, const std::string& examples, int width);

}  // namespace sluice
