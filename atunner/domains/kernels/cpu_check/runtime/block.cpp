#include "block.h"

#include <csignal>

#include "sites.h"

namespace atunner {

Block block;

namespace {

std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ull;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

std::uint64_t gcd(std::uint64_t a, std::uint64_t b) {
  while (b) a %= b, std::swap(a, b);
  return a;
}

}  // namespace

void Block::run(const Launch& launch, void* const* buffers, unsigned order, std::uint64_t seed) {
  launch_ = &launch;
  buffers_ = buffers;
  order_ = order;
  random_ = seed;
  std::copy(launch.grid, launch.grid + 3, grid);
  std::copy(launch.block, launch.block + 3, extent);
  threads = extent[0] * extent[1] * extent[2];
  warps_ = (threads + 31) / 32;
  blocks_ = std::uint64_t{grid[0]} * grid[1] * grid[2];
  block_done_ = 0;
  for (unsigned t = 0; t < threads; ++t) {
    index[t][0] = t % extent[0];
    index[t][1] = t / extent[0] % extent[1];
    index[t][2] = t / (extent[0] * extent[1]);
  }
  launch_epoch = epoch + 1;
  start_block();
  pick();
  stack_now_ = thread[now].stack = stacks.take();
  void* context = fresh_context(stacks.top(stack_now_), &Block::fiber);
  atunner_switch(&main_, context);
  stacks.give(stack_now_);
}

void Block::shuffle_orders() {
  for (unsigned i = 0; i < warps_; ++i) warp_order_[i] = order_ == 1 ? warps_ - 1 - i : i;
  for (unsigned i = 0; i < 32; ++i) lane_order_[i] = static_cast<unsigned char>(order_ == 1 ? 31 - i : i);
  if (order_ > 1) {
    for (unsigned i = warps_; i > 1; --i) std::swap(warp_order_[i - 1], warp_order_[next_random(random_) % i]);
    for (unsigned i = 32; i > 1; --i) std::swap(lane_order_[i - 1], lane_order_[next_random(random_) % i]);
  }
  for (unsigned i = 0; i < 32; ++i) lane_position_[lane_order_[i]] = static_cast<unsigned char>(i);
}

void Block::start_block() {
  std::uint64_t number = block_done_;
  if (order_ == 1) number = blocks_ - 1 - block_done_;
  if (order_ > 1) {
    // Steps of a length without a common divisor visit every block once.
    std::uint64_t step = blocks_ * 5 / 8 + 1;
    while (gcd(step, blocks_) != 1) ++step;
    number = (block_done_ * (step % blocks_) + 7) % blocks_;
  }
  id[0] = static_cast<unsigned>(number % grid[0]);
  id[1] = static_cast<unsigned>(number / grid[0] % grid[1]);
  id[2] = static_cast<unsigned>(number / (std::uint64_t{grid[0]} * grid[1]));
  ++serial;
  block_epoch = ++epoch;
  if (order_ > 1 || block_done_ == 0) shuffle_orders();
  for (unsigned t = 0; t < threads; ++t) thread[t].context = nullptr, thread[t].state = State::READY;
  for (unsigned w = 0; w < warps_; ++w) {
    unsigned lanes = std::min(32u, threads - 32 * w);
    warp[w].live = lanes == 32 ? ~0u : (1u << lanes) - 1;
    warp[w].arrived = 0;
    ready_[w] = 0;
    for (unsigned lane = 0; lane < lanes; ++lane) ready_[w] |= 1u << lane_position_[lane];
    if (clocks) std::fill(&warp[w].clock[0][0], &warp[w].clock[0][0] + 32 * 32, 0u);
    if (clocks) for (unsigned lane = 0; lane < 32; ++lane) warp[w].clock[lane][lane] = 1;
  }
  turn_ = 0;
  live_ = threads;
  waiting_ = 0;
  enter_block();
}

bool Block::pick() {
  for (unsigned k = 0; k <= warps_; ++k) {
    unsigned w = warp_order_[turn_];
    if (ready_[w]) {
      unsigned position = static_cast<unsigned>(__builtin_ctz(ready_[w]));
      ready_[w] &= ready_[w] - 1;
      now = w * 32 + lane_order_[position];
      return true;
    }
    turn_ = turn_ + 1 == warps_ ? 0 : turn_ + 1;
  }
  return false;
}

void Block::fiber() {
  for (;;) {
    block.launch_->start(block.buffers_);
    block.finish();
  }
}

// The running thread waits; another one runs until this one is picked again.
void Block::suspend() {
  unsigned me = now;
  if (!pick()) stuck();
  if (now == me) return;
  thread[me].stack = stack_now_;
  Thread& next = thread[now];
  if (!next.context) {
    next.stack = stacks.take();
    next.context = fresh_context(stacks.top(next.stack), &Block::fiber);
  }
  stack_now_ = next.stack;
  atunner_switch(&thread[me].context, next.context);
}

void Block::finish() {
  unsigned w = now >> 5, bit = 1u << (now & 31);
  thread[now].state = State::DONE;
  warp[w].live &= ~bit;
  --live_;
  if (warp[w].arrived) settle(w);
  if (live_ && waiting_ == live_) arrived_at_barrier();
  if (!live_) {
    leave_block();
    if (++block_done_ == blocks_) {
      void* nowhere;
      atunner_switch(&nowhere, main_);
    }
    start_block();
  }
  if (!pick()) stuck();
  Thread& next = thread[now];
  if (!next.context) return;  // a thread that has not begun runs on this stack
  stacks.give(stack_now_);
  stack_now_ = next.stack;
  void* nowhere;
  atunner_switch(&nowhere, next.context);
}

void Block::barrier(std::uintptr_t site, int vote_kind, int predicate) {
  Thread& me = thread[now];
  if (waiting_ == 0) {
    barrier_site_ = site;
    barrier_thread_ = now;
    vote_kind_ = vote_kind;
  } else if (site != barrier_site_ || vote_kind != vote_kind_) {
    divergent_barrier(now, site, barrier_thread_, barrier_site_);
  }
  me.site = site;
  me.vote = predicate != 0;
  me.state = State::AT_BLOCK;
  ++waiting_;
  if (waiting_ == live_) arrived_at_barrier();
  suspend();
}

void Block::arrived_at_barrier() {
  interval_ends();
  int voted = 0;
  for (unsigned t = 0; t < threads; ++t) {
    if (thread[t].state != State::AT_BLOCK) continue;
    voted += thread[t].vote;
    thread[t].state = State::READY;
    ready_[t >> 5] |= 1u << lane_position_[t & 31];
  }
  vote_result_ = vote_kind_ == 4 ? voted == static_cast<int>(live_) : vote_kind_ == 5 ? voted != 0 : voted;
  waiting_ = 0;
  turn_ = 0;
  ++epoch;
}

std::uint64_t Block::collective(Collective kind, unsigned mask, std::uint64_t bits, int choice, std::uintptr_t site) {
  unsigned w = now >> 5, bit = 1u << (now & 31);
  Thread& me = thread[now];
  if (!(mask & bit)) not_in_mask(mask);
  me.kind = kind, me.mask = mask, me.bits = bits, me.choice = choice, me.site = site;
  me.state = State::AT_WARP;
  warp[w].arrived |= bit;
  unsigned needed = mask & warp[w].live;
  if ((needed & ~warp[w].arrived) == 0) {
    complete(w, needed);
    ready_[w] &= ~(1u << lane_position_[now & 31]);
  } else {
    suspend();
  }
  if (me.mask == 0) inactive_lane(static_cast<unsigned>(me.choice));
  return me.bits;
}

void Block::settle(unsigned w) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (!(warp[w].arrived >> lane & 1)) continue;
    unsigned needed = thread[w * 32 + lane].mask & warp[w].live;
    if ((needed & ~warp[w].arrived) == 0) complete(w, needed);
  }
}

void Block::complete(unsigned w, unsigned mask) {
  Thread* lanes = thread + w * 32;
  unsigned first = static_cast<unsigned>(__builtin_ctz(mask));
  for (unsigned rest = mask; rest; rest &= rest - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(rest));
    if (lanes[lane].kind != lanes[first].kind || lanes[lane].mask != lanes[first].mask)
      divergent_warp(w * 32 + lane, w * 32 + first);
    lanes[lane].state = State::READY;
    ready_[w] |= 1u << lane_position_[lane];
  }
  warp[w].arrived &= ~mask;
  exchange(lanes, warp[w], lanes[first].kind, mask);
}

void Block::stuck() {
  deadlock();
}

}  // namespace atunner
