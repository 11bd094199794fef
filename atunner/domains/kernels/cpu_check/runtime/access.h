// The state of the checked mode.
#pragma once
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "memory.h"
#include "report.h"

namespace atunner {

enum class How { PLAIN, VOLATILE, ATOMIC };

// A second writer of a place is a race unless it writes the value that is there; that is known one access later.
class Watch {
 public:
  bool doubtful = false;
  void unknown(const Region& region, std::uintptr_t address, unsigned bytes);
  void interval_ends();
  void doubt(Region& region, std::uintptr_t address, unsigned bytes, const Access& written);
  void decide();
  // Whether the block of `epoch` has released its writes to the running block through fences and atomics.
  // Whether the running thread took over what `earlier` did, in this interval, through a fence and atomics.
  bool acquired(unsigned me, const Access& earlier) const;
  bool released(std::uint32_t epoch) const;
  void enter();                             // a new block
  void fence(bool grid);                    // writes so far are visible, in the block or in the grid
  void synchronise(std::uintptr_t address); // an atomic access: publishes if fenced, and sees who published

 private:
  const Region* unknown_ = nullptr;
  std::uintptr_t unknown_address_ = 0;
  unsigned unknown_bytes_ = 0;
  Who unknown_who_{};
  Stack unknown_stack_{};
  Region* region_ = nullptr;
  std::uintptr_t address_ = 0;
  unsigned bytes_ = 0;
  Access earlier_{};
  Who who_{};
  Stack stack_{};
  unsigned char before_[64];
  void hand_over(std::uintptr_t address);
  std::uint32_t fenced_in_[1024] = {};  // the interval of each thread's last fence
  std::uint32_t interval_ = 0;
  std::unordered_map<std::uintptr_t, std::unordered_map<unsigned, std::uint32_t>> handed_;
  std::unordered_map<unsigned, std::uint32_t> received_;
  bool fenced_ = false;
  std::vector<std::uint32_t> first_epoch_;  // of each block, in the order they ran
  std::unordered_map<std::uintptr_t, std::vector<std::uint32_t>> published_;
  std::unordered_set<std::uint32_t> seen_;
};

extern Watch watch;

// The epoch of a copy in flight: later than any, so that every access meets it.
constexpr std::uint32_t IN_FLIGHT = ~0u;
void checked_access(std::uintptr_t address, unsigned bytes, bool write, How how, std::uintptr_t site);

// Findings; each ends the program but `elsewhere`, which only looks.
void elsewhere(std::uintptr_t address, unsigned bytes, bool write);
[[noreturn]] void out_of_bounds(std::uintptr_t address, unsigned bytes, bool write);
[[noreturn]] void readonly(const Region& region, std::uintptr_t address, unsigned bytes);
[[noreturn]] void uninitialised(const Region& region, std::uintptr_t address, unsigned bytes, const Who& who, const Stack& stack);
void checked_arrival(std::uintptr_t address, unsigned bytes, std::uintptr_t site);
void mark_in_flight(std::uintptr_t address, unsigned bytes);
[[noreturn]] void in_flight(const Region& region, std::uintptr_t address, unsigned bytes, const Access& copy);
[[noreturn]] void race(const Region& region, std::uintptr_t address, unsigned bytes, const char* now, const char* before, const Access& earlier);
[[noreturn]] void race_of(const Region& region, std::uintptr_t address, unsigned bytes, const char* now, const char* before, const Access& earlier, const Who& who, const Stack& stack);
Report& told(const char* kind, unsigned line);

}  // namespace atunner
