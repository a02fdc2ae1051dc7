#include "host/tasks/model.h"

#include <algorithm>
#include <utility>

#include "kernels/arrays/convert.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"
#include "kernels/device/trace_range.h"

namespace sluice {

Model::Model(const Queue& queue, const Task& task, const ModelConfig& config,
             const Precision& precision)
    : queue_(queue),
      task_(&task),
      config_(config),
      precision_(precision),
      layout_(config, task.head_parameters(config)),
      parameters_(memory_->add()),
      gradients_(memory_->add()),
      workspace_(memory_->add()),
      placement_(queue),
      network_(queue, config, precision, *memory_),
      head_(task.make_head({queue_, config_, precision_, *memory_})) {
  reserved_.training = false;
  parameters_.reserve(queue, static_cast<std::size_t>(layout_.size) * sizeof(float));
}

void Model::set_parameters(const std::vector<float>& values) {
  require(static_cast<std::int64_t>(values.size()) == layout_.size,
          "the model has " + std::to_string(layout_.size) + " numbers, got " +
              std::to_string(values.size()));
  upload(queue_, parameters_.data(), values.data(), values.size() * sizeof(float));
  synchronize(queue_);
}

void Model::swap_parameters(Buffer& other) {
  require(other.bytes() == parameters_.bytes(), "swap_parameters: expected a buffer of " +
                                                    std::to_string(parameters_.bytes()) +
                                                    " bytes, got " + std::to_string(other.bytes()));
  std::swap(parameters_, other);
}

std::vector<float> Model::download_parameters() const {
  std::vector<float> values(static_cast<std::size_t>(layout_.size));
  download(queue_, values.data(), parameters_.data(), values.size() * sizeof(float));
  synchronize(queue_);
  return values;
}

void Model::reserve(const PassShape& shape) {
  if (shape.rows <= reserved_.rows && shape.steps <= reserved_.steps &&
      shape.batch <= reserved_.batch && shape.training <= reserved_.training) {
    return;
  }
  const PassShape all = {
      std::max(shape.rows, reserved_.rows), std::max(shape.steps, reserved_.steps),
      std::max(shape.batch, reserved_.batch), shape.training || reserved_.training};
  placement_.reserve(network_.placed_numbers(all) + head_->placed_numbers(all));
  network_.reserve(all);
  head_->reserve(all);
  if (all.training && gradients_.data() == nullptr) {
    gradients_.reserve(queue_, parameters_.bytes());
    fill_zero(queue_, gradients_.data(), gradients_.bytes());  // the layout's gaps stay zero
  }
  workspace_.reserve(queue_, std::max(network_.workspace_bytes(all), head_->workspace_bytes(all)));
  reserved_ = all;
}

void Model::place(const Batch& batch, bool training) {
  reserve({batch.layout.rows(), batch.layout.steps(), batch.layout.batch(), training});
  placement_.begin();
  network_.place(batch, training, placement_);
  head_->place(batch, training, placement_);
  placement_.send();
}

void Model::load(const Batch& batch) { place(batch, true); }

void Model::train_pass(const DropoutSource& dropout, double* totals, const LossScale* loss_scale) {
  const Weights tensors = weights();
  const Workspace room = workspace();
  const HeadPass pass = {.sequences = network_.sequences(),
                         .y = network_.y(),
                         .dy = network_.dy(),
                         .weights = tensors,
                         .dropout = &dropout,
                         .workspace = room};
  network_.forward(tensors, &dropout, room);
  head_->forward(pass);
  head_->loss(pass, totals, loss_scale);
  const TraceRange range("backward");
  head_->backward(pass);
  network_.backward(tensors, dropout, room);
}

std::vector<std::int64_t> Model::pass_signature() const {
  std::vector<std::int64_t> signature = placement_.signature();
  memory_->append_addresses(signature);
  return signature;
}

void Model::forward_pass(const Batch& batch, double* totals) {
  place(batch, false);
  const Weights tensors = weights();
  const Workspace room = workspace();
  const HeadPass pass = {
      .sequences = network_.sequences(), .y = network_.y(), .weights = tensors, .workspace = room};
  network_.forward(tensors, nullptr, room);
  head_->forward(pass);
  head_->loss(pass, totals, nullptr);
}

std::vector<float> Model::download_input_gradient() const {
  require(!config_.one_hot(), "one-hot input has no gradient; use an embedding");
  require(network_.dx() != nullptr, "of frames keep_input_gradients() comes before the first pass");
  const std::int64_t count = network_.sequences().rows * config_.input_size();
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * size_of(precision_.data_type));
  download(queue_, bytes.data(), network_.dx(), bytes.size());
  synchronize(queue_);
  std::vector<float> values(static_cast<std::size_t>(count));
  convert(Queue(), {.count = count,
                    .from_type = precision_.data_type,
                    .from = bytes.data(),
                    .to = values.data()});
  return values;
}

}  // namespace sluice
