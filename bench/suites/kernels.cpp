// Each kernel against its bandwidth or arithmetic limit.
#include <cmath>
#include <cstdio>

#include "bench/layers/random_numbers.h"
#include "bench/suites/kernel_bench.h"
#include "bench/suites/suites.h"
#include "kernels/device/device.h"

namespace sluice::bench {
namespace {

void measure_kernel(Session& session, const KernelBench& kernel) {
  Entry entry{
      "kernels", kernel.name, "sluice", {{"dtype", "float32"}, {"bytes_moved", kernel.bytes}}};
  if (kernel.flops > 0) entry.fields["flops"] = kernel.flops;
  entry.fields["limit_us"] = session.limits().kernel_seconds(kernel.flops, kernel.bytes) * 1e6;
  session.measure({entry}, {kernel.prepare(session.queue())},
                  [&](auto& entries, const auto& medians) {
                    if (std::isnan(medians[0])) return;
                    const double rate = kernel.bytes / medians[0];
                    char note[64];
                    std::snprintf(note, sizeof note, "%.2f GB/s", rate * 1e-9);
                    entries[0].fields["bytes_per_second"] = rate;
                    entries[0].fields["note"] = note;
                  });
}

}  // namespace

std::vector<Case> kernel_cases(const Options& options, DeviceKind device) {
  std::vector<KernelBench> all = time_loop_kernels(options.small, device);
  for (KernelBench& each : training_kernels(options.small)) all.push_back(std::move(each));
  std::vector<Case> cases;
  for (const KernelBench& each : all) {
    cases.push_back(
        {"kernels", each.name, [each](Session& session) { measure_kernel(session, each); }});
  }
  return cases;
}

std::shared_ptr<Buffer> buffer(const Queue& queue, std::size_t bytes) {
  auto made = std::make_shared<Buffer>(queue, bytes);
  fill_zero(queue, made->data(), bytes);
  return made;
}

std::shared_ptr<Buffer> random_buffer(const Queue& queue, std::int64_t count) {
  auto made = std::make_shared<Buffer>(queue, static_cast<std::size_t>(count) * sizeof(float));
  const std::vector<float> values = random_numbers(Stream::inputs, count, 1.0f);
  upload_numbers(queue, made->data(), DataType::float32, values.data(), count);
  return made;
}

std::shared_ptr<Buffer> token_buffer(const Queue& queue, std::int64_t count,
                                     std::int64_t vocabulary) {
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t word = random_word(Stream::tokens, i), octave = word % 13;
    tokens.push_back(
        static_cast<std::int32_t>(((1u << octave) + word / 16 % (1u << octave)) % vocabulary));
  }
  auto made = std::make_shared<Buffer>(queue, tokens.size() * sizeof(std::int32_t));
  upload(queue, made->data(), tokens.data(), made->bytes());
  synchronize(queue);
  return made;
}

}  // namespace sluice::bench
