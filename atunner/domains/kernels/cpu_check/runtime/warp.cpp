// Warp collectives: what each lane gets once all lanes of the mask have come.
#include <algorithm>

#include "sites.h"

namespace atunner {
namespace {

void join_clocks(Warp& warp, unsigned mask) {
  std::uint32_t seen[32] = {};
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    const std::uint32_t* lane = warp.clock[__builtin_ctz(rest)];
    for (unsigned i = 0; i < 32; ++i) seen[i] = std::max(seen[i], lane[i]);
  }
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(rest));
    std::copy(seen, seen + 32, warp.clock[lane]);
    ++warp.clock[lane][lane];
  }
}

// A lane that reads from a lane that does not take part: marked by an empty mask, told when the lane goes on.
void shuffle(Thread* lanes, unsigned mask) {
  std::uint64_t deposit[32];
  for (unsigned rest = mask; rest; rest &= rest - 1) deposit[__builtin_ctz(rest)] = lanes[__builtin_ctz(rest)].bits;
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    Thread& lane = lanes[__builtin_ctz(rest)];
    if (mask >> lane.choice & 1) lane.bits = deposit[lane.choice];
    else lane.mask = 0;
  }
}

template <class F> void each(Thread* lanes, unsigned mask, F of) {
  std::uint64_t result[32];
  for (unsigned rest = mask; rest; rest &= rest - 1) result[__builtin_ctz(rest)] = of(lanes[__builtin_ctz(rest)]);
  for (unsigned rest = mask; rest; rest &= rest - 1) lanes[__builtin_ctz(rest)].bits = result[__builtin_ctz(rest)];
}

unsigned equal(const Thread* lanes, unsigned mask, std::uint64_t bits) {
  unsigned found = 0;
  for (unsigned rest = mask; rest; rest &= rest - 1)
    if (lanes[__builtin_ctz(rest)].bits == bits) found |= rest & -rest;
  return found;
}

std::uint64_t reduced(const Thread* lanes, unsigned mask, int operation) {
  std::uint32_t result = static_cast<std::uint32_t>(lanes[__builtin_ctz(mask)].bits);
  for (unsigned rest = mask & (mask - 1); rest; rest &= rest - 1) {
    std::uint32_t value = static_cast<std::uint32_t>(lanes[__builtin_ctz(rest)].bits);
    auto left = static_cast<std::int32_t>(result), right = static_cast<std::int32_t>(value);
    switch (operation) {
      case 0: result += value; break;
      case 1: result = std::min(result, value); break;
      case 2: result = std::max(result, value); break;
      case 3: result = static_cast<std::uint32_t>(std::min(left, right)); break;
      case 4: result = static_cast<std::uint32_t>(std::max(left, right)); break;
      case 5: result &= value; break;
      case 6: result |= value; break;
      default: result ^= value; break;
    }
  }
  return result;
}

}  // namespace

void exchange(Thread* lanes, Warp& warp, Collective kind, unsigned mask) {
  switch (kind) {
    case Collective::SYNC:
      if (block.clocks) join_clocks(warp, mask);
      break;
    case Collective::SHUFFLE: shuffle(lanes, mask); break;
    case Collective::BALLOT: {
      unsigned votes = 0;
      for (unsigned rest = mask; rest; rest &= rest - 1)
        if (lanes[__builtin_ctz(rest)].bits) votes |= rest & -rest;
      each(lanes, mask, [&](const Thread&) { return votes; });
      break;
    }
    case Collective::MATCH_ANY: each(lanes, mask, [&](const Thread& t) { return equal(lanes, mask, t.bits); }); break;
    case Collective::MATCH_ALL: {
      bool all = equal(lanes, mask, lanes[__builtin_ctz(mask)].bits) == mask;
      each(lanes, mask, [&](const Thread&) { return all ? mask : 0u; });
      break;
    }
    case Collective::GATHER:
      for (unsigned lane = 0; lane < 32; ++lane) warp.gathered[lane] = lanes[lane].bits;
      break;
    case Collective::REDUCE: {
      std::uint64_t result = reduced(lanes, mask, lanes[__builtin_ctz(mask)].choice);
      each(lanes, mask, [&](const Thread&) { return result; });
      break;
    }
  }
}

}  // namespace atunner
