#include "host/tasks/confusion.h"

namespace sluice {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Confusion::add(std::int32_t true_class, std::int32_t predicted_class) {
  ++counts_.at(static_cast<std::size_t>(true_class)).at(static_cast<std::size_t>(predicted_class));
}

std::int64_t Confusion::total() const {
  std::int64_t sum = 0;
  for (std::size_t c = 0; c < counts_.size(); ++c) sum += support(c);
  return sum;
}

double Confusion::accuracy() const {
  std::int64_t correct = 0;
  for (std::size_t c = 0; c < counts_.size(); ++c) correct += counts_[c][c];
  return ratio(correct, total());
}

std::int64_t Confusion::support(std::size_t c) const {
  std::int64_t sum = 0;
  for (const std::int64_t count : counts_[c]) sum += count;
  return sum;
}

std::int64_t Confusion::predicted(std::size_t c) const {
  std::int64_t sum = 0;
  for (const auto& row : counts_) sum += row[c];
  return sum;
}

double Confusion::precision(std::size_t c) const { return ratio(counts_[c][c], predicted(c)); }
double Confusion::recall(std::size_t c) const { return ratio(counts_[c][c], support(c)); }
double Confusion::f1(std::size_t c) const {
  return ratio(2 * counts_[c][c], support(c) + predicted(c));
}

double Confusion::macro_f1() const {
  double sum = 0.0;
  for (std::size_t c = 0; c < counts_.size(); ++c) sum += f1(c);
  return sum / static_cast<double>(counts_.size());
}

}  // namespace sluice
