// Switching between the stacks of suspended CUDA threads.
#pragma once
#include <cstdint>
#include <sys/mman.h>
#include <vector>

#include "memory.h"

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

namespace atunner {

constexpr std::size_t STACK = 64 * 1024;

// Saves the caller's registers on its stack, its stack pointer in *from, and continues at `to`.
extern "C" void atunner_switch(void** from, void* to);

#if defined(__x86_64__)
asm(R"(.text
.weak atunner_switch
.type atunner_switch,@function
atunner_switch:
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
.size atunner_switch,.-atunner_switch
)");
inline void* fresh_context(char* top, void (*entry)()) {
  auto* at = reinterpret_cast<void**>(top) - 2;
  *at = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--at = nullptr;
  return at;
}
#elif defined(__aarch64__)
asm(R"(.text
.weak atunner_switch
.type atunner_switch,%function
atunner_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size atunner_switch,.-atunner_switch
)");
inline void* fresh_context(char* top, void (*entry)()) {
  auto* at = reinterpret_cast<void**>(top) - 20;
  for (int i = 0; i < 20; ++i) at[i] = nullptr;
  at[11] = reinterpret_cast<void*>(entry);
  return at;
}
#else
inline void* fresh_context(char* top, void (*entry)()) {
  auto* context = new ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = top - STACK / 2;
  context->uc_stack.ss_size = STACK / 2;
  context->uc_link = nullptr;
  makecontext(context, entry, 0);
  return context;
}
extern "C" inline void atunner_switch(void** from, void* to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}
#endif

// Stacks, each with an inaccessible page below; tops are staggered, or all would share the same cache sets.
class Stacks {
 public:
  void set_up(unsigned count) {
    base_ = static_cast<char*>(reserve(count * STACK, PROT_READ | PROT_WRITE));
    end_ = base_ + count * STACK;
    free_.reserve(count);
  }
  char* take() {
    if (!free_.empty()) {
      char* stack = free_.back();
      free_.pop_back();
      return stack;
    }
    char* stack = base_ + STACK * used_++;
    mprotect(stack, PAGE, PROT_NONE);
    return stack;
  }
  void give(char* stack) { free_.push_back(stack); }
  char* top(char* stack) const {
    std::size_t index = static_cast<std::size_t>(stack - base_) / STACK;
    return stack + STACK - 64 - (index * 5 % 61) * 64;
  }
  bool holds(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(base_) < static_cast<std::uintptr_t>(end_ - base_);
  }
  // Whether the address is in the inaccessible page of some stack.
  bool overflow(std::uintptr_t address) const {
    return holds(address) && (address - reinterpret_cast<std::uintptr_t>(base_)) % STACK < PAGE;
  }

 private:
  char* base_ = nullptr;
  char* end_ = nullptr;
  std::size_t used_ = 0;
  std::vector<char*> free_;
};

}  // namespace atunner
