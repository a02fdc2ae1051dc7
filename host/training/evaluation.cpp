#include "host/training/evaluation.h"

#include <array>
#include <chrono>

#include "host/buffer.h"
#include "host/data/batches.h"
#include "kernels/base/error.h"
#include "kernels/device/device.h"

namespace sluice {
namespace {

constexpr std::int32_t bucket_batches = 64;

Evaluation run(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
               std::int32_t batch_size, Metrics* metrics, const std::atomic<int>* stop) {
  require(!rows.empty(), "there are no examples to evaluate on");
  require(dataset.has_targets(), "the examples to evaluate on have no labels");
  const auto start = std::chrono::steady_clock::now();
  const Queue& queue = model.queue();
  std::array<double, 3> sums{};  // loss, targets met, targets
  const Buffer totals(queue, sizeof sums);
  fill_zero(queue, totals.data(), sizeof sums);

  BatchOptions options;
  options.batch_size = batch_size;
  options.shuffle = false;
  options.bucket_batches = bucket_batches;
  BatchLoader loader(dataset, BatchPlan(dataset, rows, options),
                     {.preparation = {.distinct = model.distinct_search(false)}});
  Evaluation result;
  for (Batch batch; loader.next(batch);) {
    if (stop != nullptr && *stop != 0) {
      result.stopped = true;
      break;
    }
    model.forward_pass(batch, totals.as<double>());
    result.examples += batch.layout.batch();
    if (metrics != nullptr) metrics->add(batch, model.download_outputs());
  }
  download(queue, sums.data(), totals.data(), sizeof sums);
  synchronize(queue);
  result.targets = static_cast<std::int64_t>(sums[2]);
  if (result.targets > 0) {
    result.loss = sums[0] / sums[2];
    result.accuracy = sums[1] / sums[2];
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace

Evaluation evaluate(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
                    std::int32_t batch_size, const std::atomic<int>* stop) {
  return run(model, dataset, rows, batch_size, nullptr, stop);
}

Evaluation evaluate(Model& model, const Dataset& dataset, const std::vector<std::int32_t>& rows,
                    std::int32_t batch_size, Metrics& metrics) {
  Evaluation result = run(model, dataset, rows, batch_size, &metrics, nullptr);
  result.accuracy = metrics.accuracy();
  return result;
}

}  // namespace sluice
