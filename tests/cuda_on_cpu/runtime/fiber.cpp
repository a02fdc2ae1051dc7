#include "runtime/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "runtime/sanitizers.h"

#if !defined(__x86_64__) || defined(CUDA_ON_CPU_UCONTEXT)
#define CUDA_ON_CPU_PORTABLE_SWITCH 1
#include <ucontext.h>
#else
// Saves the callee-saved registers of the System V ABI on the current stack, its top in *save, and
// goes on with the stack `to`: some nanoseconds, where swapcontext makes two system calls.
extern "C" void cuda_on_cpu_switch_stack(void** save, void* to);
asm(R"(
.text
.globl cuda_on_cpu_switch_stack
.type cuda_on_cpu_switch_stack, @function
cuda_on_cpu_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_on_cpu_switch_stack, .-cuda_on_cpu_switch_stack
)");
#endif

namespace cuda_on_cpu {
namespace {

constexpr std::size_t page = 4096;
#if defined(CUDA_ON_CPU_ASAN) || defined(CUDA_ON_CPU_TSAN)
constexpr std::size_t stack_bytes = 256 * 1024;
#else
constexpr std::size_t stack_bytes = 64 * 1024;
#endif

/// Where resume() was called: the scheduler's side of every switch.
struct Scheduler {
#ifdef CUDA_ON_CPU_PORTABLE_SWITCH
  ucontext_t context;
#else
  void* stack_top = nullptr;
#endif
  void* fake_stack = nullptr;
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* race_context = nullptr;
};
Scheduler scheduler;

#ifdef CUDA_ON_CPU_TSAN
// New threads are made by one that acquires nothing after the launch's begin, or they would begin
// as if they knew what earlier threads have done.
void* spawner = nullptr;
std::vector<void*> finished_race_contexts;

void* create_race_context() {
  void* const here = __tsan_get_current_fiber();
  if (spawner == nullptr) spawner = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(spawner, 1);
  void* const created = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(here, 1);
  return created;
}
#endif

}  // namespace

struct Fiber::Machine {
  char* mapping = nullptr;
#ifdef CUDA_ON_CPU_PORTABLE_SWITCH
  ucontext_t context;
#else
  void* stack_top = nullptr;
#endif
  void* fake_stack = nullptr;
  void* race_context = nullptr;

  char* stack() const { return mapping + page; }
};

Fiber::Fiber() : machine_(std::make_unique<Machine>()) {
  void* const mapping = mmap(nullptr, page + stack_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED || mprotect(mapping, page, PROT_NONE) != 0) throw std::bad_alloc();
  machine_->mapping = static_cast<char*>(mapping);
}

Fiber::~Fiber() {
#ifdef CUDA_ON_CPU_TSAN
  if (machine_->race_context != nullptr) finished_race_contexts.push_back(machine_->race_context);
#endif
#ifdef CUDA_ON_CPU_ASAN
  __asan_unpoison_memory_region(machine_->stack(), stack_bytes);
#endif
  munmap(machine_->mapping, page + stack_bytes);
}

void Fiber::prepare(void (*entry)()) {
#ifdef CUDA_ON_CPU_ASAN
  __asan_unpoison_memory_region(machine_->stack(), stack_bytes);
#endif
#ifdef CUDA_ON_CPU_TSAN
  if (machine_->race_context != nullptr) finished_race_contexts.push_back(machine_->race_context);
  machine_->race_context = create_race_context();
#endif
#ifdef CUDA_ON_CPU_PORTABLE_SWITCH
  getcontext(&machine_->context);
  machine_->context.uc_stack.ss_sp = machine_->stack();
  machine_->context.uc_stack.ss_size = stack_bytes;
  machine_->context.uc_link = nullptr;
  makecontext(&machine_->context, entry, 0);
#else
  // As if cuda_on_cpu_switch_stack had been called from a caller with no frame: six registers,
  // then the address it returns to. The entry finds its stack aligned as after a call.
  void** top = reinterpret_cast<void**>(machine_->stack() + stack_bytes);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
  machine_->stack_top = top;
#endif
  machine_->fake_stack = nullptr;
}

void Fiber::resume() {
#ifdef CUDA_ON_CPU_ASAN
  __sanitizer_start_switch_fiber(&scheduler.fake_stack, machine_->stack(), stack_bytes);
#endif
#ifdef CUDA_ON_CPU_TSAN
  scheduler.race_context = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(machine_->race_context, 1);
#endif
#ifdef CUDA_ON_CPU_PORTABLE_SWITCH
  swapcontext(&scheduler.context, &machine_->context);
#else
  cuda_on_cpu_switch_stack(&scheduler.stack_top, machine_->stack_top);
#endif
#ifdef CUDA_ON_CPU_ASAN
  __sanitizer_finish_switch_fiber(scheduler.fake_stack, nullptr, nullptr);
#endif
}

void Fiber::suspend() {
#ifdef CUDA_ON_CPU_ASAN
  __sanitizer_start_switch_fiber(&machine_->fake_stack, scheduler.bottom, scheduler.size);
#endif
#ifdef CUDA_ON_CPU_TSAN
  __tsan_switch_to_fiber(scheduler.race_context, 1);
#endif
#ifdef CUDA_ON_CPU_PORTABLE_SWITCH
  swapcontext(&machine_->context, &scheduler.context);
#else
  cuda_on_cpu_switch_stack(&machine_->stack_top, scheduler.stack_top);
#endif
#ifdef CUDA_ON_CPU_ASAN
  __sanitizer_finish_switch_fiber(machine_->fake_stack, &scheduler.bottom, &scheduler.size);
#endif
}

void Fiber::finish() {
#ifdef CUDA_ON_CPU_ASAN
  __sanitizer_start_switch_fiber(nullptr, scheduler.bottom, scheduler.size);
#endif
#ifdef CUDA_ON_CPU_TSAN
  __tsan_switch_to_fiber(scheduler.race_context, 1);
#endif
#ifdef CUDA_ON_CPU_PORTABLE_SWITCH
  setcontext(&scheduler.context);
#else
  cuda_on_cpu_switch_stack(&machine_->stack_top, scheduler.stack_top);
#endif
  std::abort();
}

void Fiber::announce_start() {
#ifdef CUDA_ON_CPU_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &scheduler.bottom, &scheduler.size);
#endif
}

std::unique_ptr<Fiber> FiberPool::take() {
  if (idle_.empty()) return std::make_unique<Fiber>();
  std::unique_ptr<Fiber> fiber = std::move(idle_.back());
  idle_.pop_back();
  return fiber;
}

void FiberPool::give_back(std::unique_ptr<Fiber> fiber) {
#ifdef CUDA_ON_CPU_TSAN
  fiber.reset();  // it remembers what was done to a stack's addresses: use new ones
#else
  idle_.push_back(std::move(fiber));
#endif
}

void FiberPool::end_launch() {
#ifdef CUDA_ON_CPU_TSAN
  for (void* context : finished_race_contexts) __tsan_destroy_fiber(context);
  finished_race_contexts.clear();
  if (spawner != nullptr) __tsan_destroy_fiber(std::exchange(spawner, nullptr));
#endif
}

}  // namespace cuda_on_cpu
