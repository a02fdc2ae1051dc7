#include "bench/suites/shape.h"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>

#include "kernels/base/error.h"

namespace sluice::bench {
namespace {

// What fits into the engine's numbers with room to spare; memory ends earlier.
constexpr std::int64_t kMostRows = std::int64_t{1} << 31;
const std::map<char, std::int64_t> kLargest{{'T', kMostRows - 1}, {'B', kMostRows - 1},
                                            {'I', 1 << 20},       {'H', 1 << 20},
                                            {'L', 1024},          {'D', 2}};

std::string cell_names() {
  std::vector<std::string> names;
  for (const Cell cell : all_cells) names.push_back(name_of(cell));
  return joined(names);
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

class Shape {
 public:
  explicit Shape(const std::string& text) : text_(text) {
    for (const std::string& part : parts_of(text)) take(part);
    if (!has_cell_) fail("no cell is named; expected one of " + cell_names());
    for (const char letter : {'T', 'B', 'H'}) {
      if (sizes_.count(letter) == 0) {
        fail(std::string(1, letter) + " is missing; expected for example " + letter + "64");
      }
    }
    if (size('T', 0) * size('B', 0) > kMostRows) {
      fail("T times B: expected at most " + std::to_string(kMostRows) + " rows of inputs");
    }
  }

  Cell cell() const { return cell_; }
  bool training() const { return pass_ != "inference"; }
  std::int64_t size(char letter, std::int64_t otherwise) const {
    const auto found = sizes_.find(letter);
    return found == sizes_.end() ? otherwise : found->second;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error::usage("--shape " + text_ + ": " + problem);
  }
  [[noreturn]] void fail_at(const std::string& part, const std::string& problem) const {
    fail("'" + part + "': " + problem);
  }

  void take(const std::string& part) {
    if (part == "inference" || part == "training") {
      if (!pass_.empty()) fail_at(part, "the pass is named twice");
      pass_ = part;
      return;
    }
    for (const Cell cell : all_cells) {
      if (part != name_of(cell)) continue;
      if (has_cell_) fail_at(part, "a cell is named twice");
      cell_ = cell;
      has_cell_ = true;
      return;
    }
    take_size(part);
  }

  void take_size(const std::string& part) {
    const char letter = part.empty() ? ' ' : part.front();
    const auto limit = kLargest.find(letter);
    if (limit == kLargest.end() ||
        (part.size() > 1 && std::isalpha(static_cast<unsigned char>(part[1])))) {
      fail_at(part, "expected a cell (" + cell_names() +
                        "), T, B, I, H, L or D with a number, or inference");
    }
    const std::int64_t largest = limit->second;
    std::int64_t size = 0;
    const char* const end = part.data() + part.size();
    const auto [stop, error] = std::from_chars(part.data() + 1, end, size);
    if (error != std::errc() || stop != end || size < 1 || size > largest) {
      fail_at(part, std::string("expected ") + letter + " with a whole number from 1 to " +
                        std::to_string(largest));
    }
    if (!sizes_.emplace(letter, size).second)
      fail_at(part, std::string(1, letter) + " is given twice");
  }

  std::string text_, pass_;
  bool has_cell_ = false;
  Cell cell_ = Cell::lstm;
  std::map<char, std::int64_t> sizes_;
};

}  // namespace

LayerProblem parse_shape(const std::string& text, const Options& options) {
  const Shape shape(text);
  LayerProblem problem;
  problem.config = {.cell = shape.cell(),
                    .data_type = options.data_type,
                    .math = options.math,
                    .input_size = shape.size('I', shape.size('H', 0)),
                    .hidden_size = shape.size('H', 0)};
  problem.config.num_layers = static_cast<int>(shape.size('L', 1));
  problem.config.bidirectional = shape.size('D', 1) == 2;
  problem.steps = static_cast<std::int32_t>(shape.size('T', 0));
  problem.batch = static_cast<std::int32_t>(shape.size('B', 0));
  problem.training = shape.training();
  return problem;
}

std::vector<Case> shape_cases(const Options& options) {
  require(!options.shapes.empty(),
          std::string("--suite ") + kShapeSuite +
              ": its cases are those of --shape, for example --shape lstm,T100,B32,H256");
  std::vector<Case> cases;
  std::set<std::string> seen;
  for (const std::string& text : options.shapes) {
    const LayerProblem problem = parse_shape(text, options);
    const std::string group = problem.training ? "" : "inference/";
    const std::string name = group + problem.name();
    if (!seen.insert(name).second) continue;
    cases.push_back({kShapeSuite, name, [problem, group](Session& session) {
                       session.measure_layer({.suite = kShapeSuite,
                                              .problem = problem,
                                              .group = group,
                                              .with_input_product = true});
                     }});
  }
  return cases;
}

}  // namespace sluice::bench
