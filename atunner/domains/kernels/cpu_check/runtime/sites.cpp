#include "sites.h"

#include "access.h"

namespace atunner {
namespace {

void tell(Report& report, const char* name, const Who& who) {
  report.line("%s (%u,%u,%u) (%u,%u,%u)", name, who.thread[0], who.thread[1], who.thread[2], who.block[0], who.block[1], who.block[2]);
}

const char* kind_of(const Region& region) {
  switch (region.kind) {
    case Kind::SHARED: return "shared variable";
    case Kind::DYNAMIC: return "dynamic shared memory";
    default: return "buffer";
  }
}

void tell(Report& report, const Region& region, std::uintptr_t address, unsigned bytes) {
  report.line("where %s '%s'", kind_of(region), region.name);
  report.line("size %lu", static_cast<unsigned long>(region.bytes));
  report.line("offset %ld", static_cast<long>(address - region.base)).line("bytes %u", bytes);
}

}  // namespace

Stack trace() {
  Stack stack{};
  auto* frame = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  while (stack.count < 16 && block.stacks.holds(reinterpret_cast<std::uintptr_t>(frame) + 8) && frame[1]) {
    stack.at[stack.count++] = frame[1];
    auto* next = reinterpret_cast<std::uintptr_t*>(frame[0]);
    if (next <= frame) break;
    frame = next;
  }
  return stack;
}

Report& told(const char* kind, unsigned line) {
  // What follows from a value that nobody wrote is told as that.
  if (CHECKED) watch.interval_ends();
  static Report report(kind);
  if (line) report.line("line %u", line);
  report.stack("at", trace());
  tell(report, "who", who(block.now));
  return report;
}

void elsewhere(std::uintptr_t address, unsigned bytes, bool write) {
  extern char atunner_image_begin[] __asm__("__executable_start"), atunner_image_end[] __asm__("_end");
  if (block.stacks.overflow(address)) told("stack", 0).end();
  if (block.stacks.holds(address)) return;
  if (address - reinterpret_cast<std::uintptr_t>(atunner_image_begin) < static_cast<std::uintptr_t>(atunner_image_end - atunner_image_begin)) return;
  told("wild", 0).line("access %s", write ? "write" : "read").line("bytes %u", bytes).line("address %lx", static_cast<unsigned long>(address)).end();
}

void out_of_bounds(std::uintptr_t address, unsigned bytes, bool write) {
  Report& report = told("outside", 0).line("access %s", write ? "write" : "read");
  if (const Region* region = memory.nearest(address)) tell(report, *region, address, bytes);
  report.end();
}

void readonly(const Region& region, std::uintptr_t address, unsigned bytes) {
  Report& report = told("readonly", 0);
  tell(report, region, address, bytes);
  report.end();
}

void uninitialised(const Region& region, std::uintptr_t address, unsigned bytes, const Who& who, const Stack& stack) {
  Report report("uninitialised");
  report.stack("at", stack);
  tell(report, "who", who);
  tell(report, region, address, bytes);
  report.end();
}

void in_flight(const Region& region, std::uintptr_t address, unsigned bytes, const Access& copy) {
  Report& report = told("in_flight", 0).line("earlier %x", copy.site);
  tell(report, region, address, bytes);
  report.end();
}

void race(const Region& region, std::uintptr_t address, unsigned bytes, const char* now, const char* before, const Access& earlier) {
  race_of(region, address, bytes, now, before, earlier, who(block.now), trace());
}

void race_of(const Region& region, std::uintptr_t address, unsigned bytes, const char* now, const char* before, const Access& earlier, const Who& by, const Stack& stack) {
  Report report("race");
  report.stack("at", stack).line("earlier %x", earlier.site).line("now %s", now).line("before %s", before);
  tell(report, "who", by);
  bool same_block = earlier.epoch >= block.block_epoch;
  if (same_block) tell(report, "other", who(earlier.thread));
  report.line("scope %s", same_block ? "block" : "grid");
  tell(report, region, address, bytes);
  report.end();
}

void divergent_barrier(unsigned thread, std::uintptr_t line, unsigned other, std::uintptr_t other_line) {
  (void)thread;
  Report& report = told("barrier", static_cast<unsigned>(line));
  report.line("other_line %u", static_cast<unsigned>(other_line));
  tell(report, "other", who(other));
  report.end();
}

void divergent_warp(unsigned thread, unsigned other) {
  Report& report = told("warp", static_cast<unsigned>(block.thread[thread].site));
  report.line("other_line %u", static_cast<unsigned>(block.thread[other].site));
  report.line("mask %08x", block.thread[thread].mask).line("other_mask %08x", block.thread[other].mask);
  tell(report, "other", who(other));
  report.end();
}

void not_in_mask(unsigned mask) { told("mask", 0).line("lane %u", block.lane()).line("mask %08x", mask).end(); }

void inactive_lane(unsigned lane) { told("inactive", 0).line("lane %u", lane).end(); }

void deadlock() {
  unsigned at_barrier = 0, exited = 0, waiting = 0, barrier = 0, warp = 0;
  for (unsigned t = 0; t < block.threads; ++t) {
    const Thread& thread = block.thread[t];
    if (thread.state == State::AT_BLOCK) ++at_barrier, barrier = t;
    if (thread.state == State::AT_WARP) ++waiting, warp = t;
    if (thread.state == State::DONE) ++exited;
  }
  Report report("deadlock");
  const Thread& one = block.thread[waiting ? warp : barrier];
  report.line("line %u", static_cast<unsigned>(one.site));
  if (at_barrier) report.line("other_line %u", static_cast<unsigned>(block.thread[barrier].site));
  report.line("at_barrier %u", at_barrier).line("waiting %u", waiting).line("exited %u", exited).line("mask %08x", one.mask);
  tell(report, "who", who(waiting ? warp : barrier));
  report.end();
}

}  // namespace atunner
