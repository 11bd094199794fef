// Every buffer and shared variable is a region of one reserved range, flush with an inaccessible page.
#pragma once
#include <cstdint>
#include <cstring>
#include <sys/mman.h>

#include "abi.h"
#include "report.h"

namespace atunner {

#if defined(ATUNNER_CHECKED)
constexpr bool CHECKED = true;
#else
constexpr bool CHECKED = false;
#endif
constexpr std::size_t PAGE = 4096;
constexpr unsigned MAX_REGIONS = 1024;

enum class Kind : unsigned char { GLOBAL, SHARED, DYNAMIC, STACKS };

// One access that later accesses are compared with. epoch 0: none yet.
struct Access {
  std::uint32_t epoch;
  std::uint32_t clock;
  std::uint32_t site;
  std::uint16_t thread;
  std::uint16_t atomic;
};

struct Cell {
  Access write;
  Access read[2];
  std::uint32_t pad[4];
};

// base: first legal byte. first..last: its pages. shift: log2 of the bytes that one cell stands for.
struct Region {
  const char* name;
  std::uintptr_t base;
  std::size_t bytes;
  std::uintptr_t first;
  std::uintptr_t last;
  Cell* cells;
  Kind kind;
  unsigned char shift;
  bool initialised;
  bool readonly;
};

inline std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

inline void* reserve(std::size_t bytes, int protection) {
  void* at = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) failed("not enough memory for the check");
  return at;
}

class Memory {
 public:
  std::uintptr_t start = 0;
  std::size_t bytes = 0;
  std::uint16_t* page_region = nullptr;
  Region regions[MAX_REGIONS] = {};
  unsigned count = 1;  // region 0: no region

  void set_up(std::size_t total) {
    bytes = round_up(total, PAGE);
    start = reinterpret_cast<std::uintptr_t>(reserve(bytes, PROT_NONE));
    page_region = static_cast<std::uint16_t*>(reserve(bytes / PAGE * sizeof(std::uint16_t), PROT_READ | PROT_WRITE));
    next_ = start + GAP;
  }

  static std::size_t cost(std::size_t bytes) { return round_up(bytes + ALIGN, PAGE) + 2 * GAP; }

  // A region of `bytes` bytes that ends as close to an inaccessible page as `alignment` allows.
  Region& add(const char* name, std::size_t size, std::size_t alignment, Kind kind, bool shadowed) {
    std::size_t room = round_up(round_up(size, alignment) + (size == 0), PAGE);
    if (count == MAX_REGIONS || next_ + room + GAP > start + bytes) failed("too many or too large shared variables");
    Region& region = regions[count];
    region = {name, 0, size, next_, next_ + room, nullptr, kind, 2, false, false};
    region.base = region.last - round_up(size, alignment);
    if (mprotect(reinterpret_cast<void*>(region.first), room, PROT_READ | PROT_WRITE)) failed("mprotect failed");
    for (std::uintptr_t at = region.first; at < region.last; at += PAGE) page_region[(at - start) / PAGE] = static_cast<std::uint16_t>(count);
    if (shadowed) shadow(region, 2);
    std::memset(reinterpret_cast<void*>(region.first), POISON, room);
    next_ = region.last + GAP;
    ++count;
    return region;
  }

  void shadow(Region& region, unsigned char shift) {
    region.shift = shift;
    region.cells = static_cast<Cell*>(reserve(((region.bytes >> shift) + 2) * sizeof(Cell), PROT_READ | PROT_WRITE));
  }

  // Cells of four bytes become cells of one byte: some access is smaller than four.
  void refine(Region& region) {
    Cell* coarse = region.cells;
    std::size_t cells = (region.bytes >> 2) + 2;
    shadow(region, 0);
    for (std::size_t i = 0; i < region.bytes; ++i)
      if (coarse[i >> 2].write.epoch | coarse[i >> 2].read[0].epoch) region.cells[i] = coarse[i >> 2];
    munmap(coarse, cells * sizeof(Cell));
  }

  // Whether the bytes around the region, up to its pages' ends, are as they were.
  bool intact(const Region& region) const {
    return poisoned(region.first, region.base) && poisoned(region.base + region.bytes, region.last);
  }

  // The region whose pages are nearest to an address.
  const Region* nearest(std::uintptr_t address) const {
    const Region* best = nullptr;
    std::uintptr_t distance = ~std::uintptr_t{0};
    for (unsigned i = 1; i < count; ++i) {
      const Region& r = regions[i];
      std::uintptr_t away = address < r.base ? r.base - address : address >= r.base + r.bytes ? address - r.base - r.bytes : 0;
      if (away < distance) best = &r, distance = away;
    }
    return best;
  }

  bool holds(std::uintptr_t address) const { return address - start < bytes; }

  static constexpr unsigned char POISON = 0xFF;  // a NaN in every float format, -1 in every integer
  static constexpr std::size_t GAP = 64 * PAGE;
  static constexpr std::size_t ALIGN = 256;

 private:
  static bool poisoned(std::uintptr_t from, std::uintptr_t to) {
    for (std::uintptr_t at = from; at < to; ++at)
      if (*reinterpret_cast<const unsigned char*>(at) != POISON) return false;
    return true;
  }
  std::uintptr_t next_ = 0;
};

extern Memory memory;

}  // namespace atunner
