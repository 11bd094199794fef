// One thread block at a time: threads run in turn, and are suspended only where they must wait.
#pragma once
#include <algorithm>
#include <cstdint>

#include "fibers.h"

namespace atunner {

constexpr unsigned MAX_THREADS = 1024;
constexpr unsigned WARPS = MAX_THREADS / 32;

enum class State : unsigned char { READY, AT_WARP, AT_BLOCK, DONE };

struct Thread {
  void* context;
  char* stack;
  std::uintptr_t site;
  unsigned mask;
  State state;
  unsigned char vote;
  Collective kind;
  int choice;
  std::uint64_t bits;
};

// clock[i][j]: what lane i has seen of lane j through warp barriers.
struct Warp {
  unsigned live;
  unsigned arrived;
  std::uint32_t clock[32][32];
  std::uint64_t gathered[32];
};

class Block {
 public:
  Thread thread[MAX_THREADS];
  Warp warp[WARPS];
  unsigned index[MAX_THREADS][3];
  unsigned id[3];
  unsigned grid[3];
  unsigned extent[3];
  unsigned threads = 0;
  unsigned now = 0;              // the running thread
  std::uint32_t serial = 0;      // counts blocks of all launches
  std::uint32_t epoch = 0;       // counts block barriers of all blocks; one epoch is one barrier interval
  std::uint32_t block_epoch = 0; // first epoch of this block
  std::uint32_t launch_epoch = 0;
  bool clocks = false;           // whether warp clocks are kept

  void run(const Launch& launch, void* const* buffers, unsigned order, std::uint64_t seed);
  void barrier(std::uintptr_t site, int vote_kind, int predicate);
  int voted() const { return vote_result_; }
  std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t bits, int choice, std::uintptr_t site);
  unsigned lane() const { return now & 31; }
  Stacks stacks;

 private:
  static void fiber();
  void start_block();
  void next_block();
  bool pick();
  void suspend();
  void finish();
  void go();
  void arrived_at_barrier();
  void complete(unsigned w, unsigned mask);
  void settle(unsigned w);
  [[noreturn]] void stuck();
  void shuffle_orders();

  const Launch* launch_ = nullptr;
  void* const* buffers_ = nullptr;
  void* main_ = nullptr;
  char* stack_now_ = nullptr;
  unsigned ready_[WARPS];  // bit p: the lane at position p of lane_order_ can run
  unsigned warp_order_[WARPS];
  unsigned char lane_order_[32];
  unsigned char lane_position_[32];
  unsigned warps_ = 0, turn_ = 0, live_ = 0, waiting_ = 0;
  std::uint64_t block_done_ = 0, blocks_ = 0;
  unsigned order_ = 0;
  std::uint64_t random_ = 0;
  int vote_result_ = 0, vote_kind_ = 0;
  std::uintptr_t barrier_site_ = 0;
  unsigned barrier_thread_ = 0;
};

extern Block block;

inline Who who(unsigned thread) {
  Who w;
  for (int i = 0; i < 3; ++i) w.thread[i] = block.index[thread][i], w.block[i] = block.id[i];
  return w;
}

}  // namespace atunner
