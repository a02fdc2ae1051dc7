#include "kernels/arrays/sort.h"

#include <thrust/sort.h>
#include <thrust/system/cpp/execution_policy.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/base/error.h"

namespace sluice::cpu {
namespace {

constexpr std::size_t kAlignment = 64;

// Gives Thrust pieces of the caller's workspace, one after the other. Thrust gives them back when
// the sort is done, and no earlier piece is wanted again.
class WorkspaceAllocator {
 public:
  using value_type = char;

  WorkspaceAllocator(void* workspace, std::size_t bytes)
      : next_(static_cast<char*>(workspace)), end_(next_ + bytes) {}

  char* allocate(std::ptrdiff_t bytes) {
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (rounded > static_cast<std::size_t>(end_ - next_)) {
      throw Error::runtime("sort_by_token: Thrust asks for more workspace than expected");
    }
    return std::exchange(next_, next_ + rounded);
  }
  void deallocate(char*, std::size_t) {}

 private:
  char* next_;
  char* end_;
};

}  // namespace

void sort_by_token(const Queue&, const SortByTokenArgs& args) {
  std::copy_n(args.tokens, args.count, args.sorted_tokens);
  std::iota(args.positions, args.positions + args.count, 0);
  WorkspaceAllocator allocator(args.workspace, args.workspace_bytes);
  auto* keys = reinterpret_cast<std::uint32_t*>(args.sorted_tokens);
  thrust::stable_sort_by_key(thrust::cpp::par(allocator), keys, keys + args.count, args.positions);
}

// The radix sort keeps a second copy of keys and values.
std::size_t sort_by_token_workspace_bytes(const Queue&, std::int64_t count) {
  return 2 * (count * sizeof(std::int32_t) + kAlignment);
}

}  // namespace sluice::cpu
