// Which library should multiply on the CPU? oneDNN against OpenBLAS, float32, one thread, on the
// products of a recurrent layer: the input product, its two gradients, and the recurrent step.
//
//   gemm_libraries [repeats]
//
// One row a product: its shape, the median rate of each library, and their ratio.

#include <cblas.h>
#include <dnnl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

extern "C" void openblas_set_num_threads(int);
extern "C" char* openblas_get_config();
extern "C" void omp_set_num_threads(int);

namespace {

struct Product {
  const char* name;
  int m, n, k;
  bool transpose_a, transpose_b;
};

// H = 64 and I = 128 of the sentiment model with 10 steps of 64 rows at a time, then H = I = 512.
constexpr Product kProducts[] = {
    {"x W^T, H 64", 640, 256, 128, false, true},   {"dG W, H 64", 640, 128, 256, false, false},
    {"dG^T x, H 64", 256, 128, 640, true, false},  {"dG^T h, H 64", 256, 64, 640, true, false},
    {"h R^T, H 64", 64, 256, 64, false, true},     {"x W^T, H 512", 640, 2048, 512, false, true},
    {"dG W, H 512", 640, 512, 2048, false, false}, {"dG^T x, H 512", 2048, 512, 640, true, false},
    {"h R^T, H 512", 64, 2048, 512, false, true},
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median_seconds(int repeats, const std::function<void()>& body) {
  std::vector<double> times;
  body();
  for (int i = 0; i < repeats; ++i) {
    const double start = seconds();
    body();
    times.push_back(seconds() - start);
  }
  std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
  return times[repeats / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
  openblas_set_num_threads(1);
  omp_set_num_threads(1);
  const dnnl_version_t* version = dnnl_version();
  std::printf("oneDNN %d.%d.%d, %s, one thread, median of %d\n", version->major, version->minor,
              version->patch, openblas_get_config(), repeats);
  std::printf("%-16s %6s %6s %6s  %14s %14s %6s\n", "product", "m", "n", "k", "oneDNN GFLOP/s",
              "OpenBLAS", "ratio");
  for (const Product& p : kProducts) {
    const std::vector<float> a(static_cast<std::size_t>(p.m) * p.k, 0.5f);
    const std::vector<float> b(static_cast<std::size_t>(p.k) * p.n, 0.25f);
    std::vector<float> c(static_cast<std::size_t>(p.m) * p.n);
    const int lda = p.transpose_a ? p.m : p.k, ldb = p.transpose_b ? p.k : p.n;
    const double flop = 2.0 * p.m * p.n * p.k;
    const int calls = std::max(1, static_cast<int>(1e8 / flop));
    const double onednn = median_seconds(repeats, [&] {
      for (int i = 0; i < calls; ++i) {
        dnnl_sgemm(p.transpose_a ? 'T' : 'N', p.transpose_b ? 'T' : 'N', p.m, p.n, p.k, 1.0f,
                   a.data(), lda, b.data(), ldb, 0.0f, c.data(), p.n);
      }
    });
    const double openblas = median_seconds(repeats, [&] {
      for (int i = 0; i < calls; ++i) {
        cblas_sgemm(CblasRowMajor, p.transpose_a ? CblasTrans : CblasNoTrans,
                    p.transpose_b ? CblasTrans : CblasNoTrans, p.m, p.n, p.k, 1.0f, a.data(), lda,
                    b.data(), ldb, 0.0f, c.data(), p.n);
      }
    });
    std::printf("%-16s %6d %6d %6d  %14.0f %14.0f %6.2f\n", p.name, p.m, p.n, p.k,
                flop * calls / onednn / 1e9, flop * calls / openblas / 1e9, openblas / onednn);
  }
}
