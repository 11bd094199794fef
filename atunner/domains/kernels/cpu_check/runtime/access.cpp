// Every memory access of the candidate, told by the compiler's thread-sanitizer instrumentation.
#include "access.h"

#include <algorithm>

#include "sites.h"

namespace atunner {

Watch watch;

namespace {

bool same_warp(unsigned a, unsigned b) { return (a ^ b) < 32 && a >> 5 == b >> 5; }

// Whether `earlier`, of this block and barrier interval, happened before what the running thread does now.
inline bool ordered(const Access& earlier) {
  unsigned me = block.now;
  if (earlier.thread == me) return true;
  if (!same_warp(earlier.thread, me)) return watch.acquired(me, earlier);
  return block.warp[me >> 5].clock[me & 31][earlier.thread & 31] >= earlier.clock;
}

// Whether an earlier access of the cell may run at the same time as the present one.
inline bool concurrent(const Access& earlier) {
  if (earlier.epoch >= block.block_epoch) return earlier.epoch == block.epoch && !ordered(earlier);
  return !watch.released(earlier.epoch);
}

inline void stamp(Access& slot, std::uintptr_t site, bool atomic) {
  unsigned me = block.now;
  slot.epoch = block.epoch;
  slot.clock = block.warp[me >> 5].clock[me & 31][me & 31];
  slot.site = static_cast<std::uint32_t>(site);
  slot.thread = static_cast<std::uint16_t>(me);
  slot.atomic = atomic;
}

inline void note_read(Cell& cell, std::uintptr_t site, bool atomic) {
  Access &first = cell.read[0], &second = cell.read[1];
  unsigned me = block.now;
  if (first.epoch != block.epoch || (same_warp(first.thread, me) && ordered(first))) return stamp(first, site, atomic);
  if (second.epoch != block.epoch || (same_warp(first.thread, second.thread) && !same_warp(first.thread, me)) || ordered(second))
    stamp(second, site, atomic);
}

template <bool WRITE> inline void check_cell(Region& region, Cell& cell, std::uintptr_t address, unsigned bytes, std::uintptr_t site, How how) {
  // A volatile access of global memory talks to other threads; in shared memory it is one that lacks a barrier.
  bool atomic = how == How::ATOMIC || (how == How::VOLATILE && region.kind == Kind::GLOBAL);
  const Access& written = cell.write;
  // Shared memory knows nothing of other blocks, nothing knows of earlier launches.
  std::uint32_t since = region.kind == Kind::GLOBAL ? block.launch_epoch : block.block_epoch;
  if (!WRITE || how == How::ATOMIC) {
    bool known = region.kind == Kind::GLOBAL ? region.initialised || written.epoch : written.epoch >= block.block_epoch;
    if (__builtin_expect(!known, 0)) watch.unknown(region, address, bytes);
  }
  if (__builtin_expect(written.epoch >= since, 0) && written.epoch == IN_FLIGHT) in_flight(region, address, bytes, written);
  if (__builtin_expect(written.epoch >= since, 0) && !(atomic && written.atomic) && concurrent(written)) {
    if (WRITE && !atomic) watch.doubt(region, address, bytes, written);
    else race(region, address, bytes, atomic ? "atomically changes" : "reads", "wrote", written);
  }
  if (WRITE) {
    for (const Access& read : cell.read)
      if (read.epoch >= since && !(atomic && read.atomic) && concurrent(read))
        race(region, address, bytes, atomic ? "atomically changes" : "writes", "read", read);
    stamp(cell.write, site, atomic);
  } else if (!region.readonly) {
    note_read(cell, site, atomic);
  }
}

template <bool WRITE> inline void access(std::uintptr_t address, unsigned bytes, std::uintptr_t site, How how) {
  if (__builtin_expect(watch.doubtful, 0)) watch.decide();
  if (!memory.holds(address)) return elsewhere(address, bytes, WRITE);
  Region& region = memory.regions[memory.page_region[(address - memory.start) / PAGE]];
  std::uintptr_t offset = address - region.base;
  if (__builtin_expect(offset >= region.bytes || offset + bytes > region.bytes, 0)) out_of_bounds(address, bytes, WRITE);
  if (__builtin_expect(WRITE && region.readonly, 0)) readonly(region, address, bytes);
  if (__builtin_expect(((bytes | offset) & ((1u << region.shift) - 1)) != 0, 0)) memory.refine(region);
  Cell* cell = region.cells + (offset >> region.shift);
  Cell* end = region.cells + ((offset + bytes - 1) >> region.shift) + 1;
  do check_cell<WRITE>(region, *cell, address, bytes, site, how);
  while (++cell != end);
}

}  // namespace

void Watch::doubt(Region& region, std::uintptr_t address, unsigned bytes, const Access& written) {
  if (bytes > sizeof before_) race(region, address, bytes, "writes", "wrote", written);
  doubtful = true;
  region_ = &region, address_ = address, bytes_ = bytes, earlier_ = written;
  who_ = who(block.now);
  stack_ = trace();
  std::memcpy(before_, reinterpret_cast<const void*>(address), bytes);
}

// Perhaps another thread writes it in this barrier interval: then that is a race, and says more.
void Watch::unknown(const Region& region, std::uintptr_t address, unsigned bytes) {
  if (unknown_) return;
  unknown_ = &region, unknown_address_ = address, unknown_bytes_ = bytes;
  unknown_who_ = who(block.now);
  unknown_stack_ = trace();
}

void Watch::interval_ends() {
  if (doubtful) decide();
  if (unknown_) uninitialised(*unknown_, unknown_address_, unknown_bytes_, unknown_who_, unknown_stack_);
}

// Threads that write the same value to the same place do not disturb each other.
void Watch::decide() {
  doubtful = false;
  if (std::memcmp(before_, reinterpret_cast<const void*>(address_), bytes_) != 0)
    race_of(*region_, address_, bytes_, "writes", "wrote", earlier_, who_, stack_);
}

void checked_access(std::uintptr_t address, unsigned bytes, bool write, How how, std::uintptr_t site) {
  if (write) access<true>(address, bytes, site, how);
  else access<false>(address, bytes, site, how);
}

void Watch::enter() {
  fenced_ = false;
  seen_.clear();
  first_epoch_.push_back(block.block_epoch);
}

void Watch::fence(bool grid) {
  fenced_ |= grid;
  fenced_in_[block.now] = block.epoch;
}

// A release hands on what the thread did so far in this interval; an atomic access of the same place receives it.
void Watch::hand_over(std::uintptr_t address) {
  if (interval_ != block.epoch) interval_ = block.epoch, handed_.clear(), received_.clear();
  unsigned me = block.now;
  std::uint32_t* clocks = block.warp[me >> 5].clock[me & 31];
  for (auto [thread, clock] : handed_[address]) {
    std::uint32_t& known = same_warp(thread, me) ? clocks[thread & 31] : received_[me * MAX_THREADS + thread];
    known = std::max(known, clock);
  }
  if (fenced_in_[me] == block.epoch) handed_[address][me] = clocks[me & 31]++;
}

bool Watch::acquired(unsigned me, const Access& earlier) const {
  if (interval_ != block.epoch) return false;
  auto found = received_.find(me * MAX_THREADS + earlier.thread);
  return found != received_.end() && found->second >= earlier.clock;
}

void Watch::synchronise(std::uintptr_t address) {
  hand_over(address);
  auto found = published_.find(address);
  if (found != published_.end()) seen_.insert(found->second.begin(), found->second.end());
  if (!fenced_) return;
  auto& blocks = published_[address];
  if (blocks.empty() || blocks.back() != first_epoch_.back()) blocks.push_back(first_epoch_.back());
}

bool Watch::released(std::uint32_t epoch) const {
  if (seen_.empty()) return false;
  return seen_.count(*(std::upper_bound(first_epoch_.begin(), first_epoch_.end(), epoch) - 1)) != 0;
}

void checked_arrival(std::uintptr_t address, unsigned bytes, std::uintptr_t site) {
  if (!memory.holds(address)) return;
  Region& region = memory.regions[memory.page_region[(address - memory.start) / PAGE]];
  std::size_t first = (address - region.base) >> region.shift, last = (address - region.base + bytes - 1) >> region.shift;
  for (std::size_t i = first; i <= last; ++i) stamp(region.cells[i].write, site, false);
}

void mark_in_flight(std::uintptr_t address, unsigned bytes) {
  if (!memory.holds(address)) return;
  Region& region = memory.regions[memory.page_region[(address - memory.start) / PAGE]];
  std::size_t first = (address - region.base) >> region.shift, last = (address - region.base + bytes - 1) >> region.shift;
  for (std::size_t i = first; i <= last; ++i) region.cells[i].write.epoch = IN_FLIGHT;
}

}  // namespace atunner

#if defined(ATUNNER_CHECKED)
#define SITE reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))
#define HOOK(NAME, BYTES, WRITE, HOW) \
  extern "C" void NAME(void* address) { atunner::access<WRITE>(reinterpret_cast<std::uintptr_t>(address), BYTES, SITE, atunner::How::HOW); }
#define HOOKS(BYTES)                                       \
  HOOK(__tsan_read##BYTES, BYTES, false, PLAIN)            \
  HOOK(__tsan_write##BYTES, BYTES, true, PLAIN)            \
  HOOK(__tsan_unaligned_read##BYTES, BYTES, false, PLAIN)  \
  HOOK(__tsan_unaligned_write##BYTES, BYTES, true, PLAIN)  \
  HOOK(__tsan_volatile_read##BYTES, BYTES, false, VOLATILE)    \
  HOOK(__tsan_volatile_write##BYTES, BYTES, true, VOLATILE)    \
  HOOK(__tsan_unaligned_volatile_read##BYTES, BYTES, false, VOLATILE) \
  HOOK(__tsan_unaligned_volatile_write##BYTES, BYTES, true, VOLATILE)
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* address, unsigned long bytes) {
  if (bytes) atunner::access<false>(reinterpret_cast<std::uintptr_t>(address), static_cast<unsigned>(bytes), SITE, atunner::How::PLAIN);
}
void __tsan_write_range(void* address, unsigned long bytes) {
  if (bytes) atunner::access<true>(reinterpret_cast<std::uintptr_t>(address), static_cast<unsigned>(bytes), SITE, atunner::How::PLAIN);
}
void* __tsan_memcpy(void* to, const void* from, unsigned long bytes) {
  __tsan_read_range(const_cast<void*>(from), bytes);
  __tsan_write_range(to, bytes);
  return std::memmove(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, unsigned long bytes) {
  __tsan_read_range(const_cast<void*>(from), bytes);
  __tsan_write_range(to, bytes);
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, unsigned long bytes) {
  __tsan_write_range(to, bytes);
  return std::memset(to, value, bytes);
}
}

// What the compiler knows by itself, told with the source line.
namespace {
struct Location {
  const char* file;
  unsigned line;
  unsigned column;
};
struct Type {
  std::uint16_t kind;
  std::uint16_t layout;
  char name[1];
};
struct OutOfBounds {
  Location where;
  const Type* array;
  const Type* index;
};
struct Mismatch {
  Location where;
  const Type* type;
  unsigned char log_alignment;
  unsigned char check;
};
struct Overflow {
  Location where;
  const Type* type;
};
}  // namespace

extern "C" {
void __ubsan_handle_out_of_bounds(OutOfBounds* found, std::uintptr_t index) {
  atunner::told("bounds", found->where.line).line("index %ld", static_cast<long>(index)).line("type %s", found->array->name).end();
}
void __ubsan_handle_type_mismatch_v1(Mismatch* found, std::uintptr_t address) {
  std::uintptr_t alignment = std::uintptr_t{1} << found->log_alignment;
  atunner::Report& report = atunner::told(address ? "misaligned" : "null", found->where.line);
  report.line("type %s", found->type->name).line("alignment %lu", static_cast<unsigned long>(alignment));
  report.line("excess %lu", static_cast<unsigned long>(address % alignment)).end();
}
void __ubsan_handle_divrem_overflow(Overflow* found, std::uintptr_t, std::uintptr_t) {
  atunner::told("division", found->where.line).line("type %s", found->type->name).end();
}
}
#endif
