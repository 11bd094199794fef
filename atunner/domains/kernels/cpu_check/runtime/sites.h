// What the block tells the rest of the runtime; reports end the program.
#pragma once
#include "block.h"

namespace atunner {

void enter_block();
void leave_block();
void interval_ends();
void forget_copies();
void exchange(Thread* lanes, Warp& warp, Collective kind, unsigned mask);

[[noreturn]] void divergent_barrier(unsigned thread, std::uintptr_t line, unsigned other, std::uintptr_t other_line);
[[noreturn]] void divergent_warp(unsigned thread, unsigned other);
[[noreturn]] void not_in_mask(unsigned mask);
[[noreturn]] void inactive_lane(unsigned lane);
[[noreturn]] void deadlock();

// Return addresses from the caller's frame outwards.
Stack trace();

}  // namespace atunner
