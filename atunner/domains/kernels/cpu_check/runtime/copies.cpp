// Copies that the device does beside the thread, and whole-range functions.
#include <cstring>
#include <vector>

#include "access.h"
#include "sites.h"

namespace atunner {
namespace {

struct Copy {
  void* to;
  const void* from;
  unsigned bytes, zeroed, group;
  std::uintptr_t site;
};

struct Queue {
  std::vector<Copy> copies;
  unsigned committed = 0, waited = 0;
};

Queue queues[MAX_THREADS];
std::vector<unsigned> used;

void arrive(const Copy& copy) {
  auto to = reinterpret_cast<std::uintptr_t>(copy.to);
  // The place is this thread's again before it is written: the copy was its own.
  if (CHECKED) checked_arrival(to, copy.bytes, copy.site);
  std::memcpy(copy.to, copy.from, copy.bytes - copy.zeroed);
  std::memset(static_cast<char*>(copy.to) + copy.bytes - copy.zeroed, 0, copy.zeroed);
}

void wait_until(Queue& queue, unsigned group) {
  std::size_t done = 0;
  while (done < queue.copies.size() && queue.copies[done].group < group) arrive(queue.copies[done++]);
  queue.copies.erase(queue.copies.begin(), queue.copies.begin() + static_cast<std::ptrdiff_t>(done));
  if (group > queue.waited) queue.waited = group;
}

}  // namespace

void async_copy(void* to, const void* from, unsigned bytes, unsigned zeroed) {
  auto target = reinterpret_cast<std::uintptr_t>(to), source = reinterpret_cast<std::uintptr_t>(from);
  auto site = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  std::uintptr_t excess = (target | source) % (bytes && (bytes & (bytes - 1)) == 0 && bytes < 16 ? bytes : 16);
  if ((bytes != 4 && bytes != 8 && bytes % 16) || excess || zeroed > bytes)
    told("misaligned", 0).line("type an asynchronous copy of %u bytes", bytes).line("alignment %u", bytes < 16 ? bytes : 16).line("excess %lu", static_cast<unsigned long>(excess)).end();
  if (CHECKED) {
    if (bytes > zeroed) checked_access(source, bytes - zeroed, false, How::PLAIN, site);
    checked_access(target, bytes, true, How::PLAIN, site);
    mark_in_flight(target, bytes);
  }
  Queue& queue = queues[block.now];
  if (queue.copies.empty()) used.push_back(block.now);
  queue.copies.push_back({to, from, bytes, zeroed, queue.committed, site});
}

void async_commit() { ++queues[block.now].committed, used.push_back(block.now); }

void async_wait(unsigned left) {
  Queue& queue = queues[block.now];
  if (queue.committed > left) wait_until(queue, queue.committed - left);
}

void async_wait_oldest() {
  Queue& queue = queues[block.now];
  if (queue.committed > queue.waited) wait_until(queue, queue.waited + 1);
}

void forget_copies() {
  for (unsigned thread : used) queues[thread] = Queue{};
  used.clear();
}

void* copy(void* to, const void* from, std::size_t bytes) {
  auto site = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  if (CHECKED && bytes) {
    checked_access(reinterpret_cast<std::uintptr_t>(from), static_cast<unsigned>(bytes), false, How::PLAIN, site);
    checked_access(reinterpret_cast<std::uintptr_t>(to), static_cast<unsigned>(bytes), true, How::PLAIN, site);
  }
  return std::memmove(to, from, bytes);
}

void* fill(void* to, int value, std::size_t bytes) {
  auto site = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  if (CHECKED && bytes) checked_access(reinterpret_cast<std::uintptr_t>(to), static_cast<unsigned>(bytes), true, How::PLAIN, site);
  return std::memset(to, value, bytes);
}

void aligned(const void* tile, std::size_t stride) {
  auto excess = reinterpret_cast<std::uintptr_t>(tile) % 32;
  if (excess || stride % 16)
    told("misaligned", 0).line("type a warp matrix tile").line("alignment %u", excess ? 32 : 16).line("excess %lu", static_cast<unsigned long>(excess ? excess : stride % 16)).end();
}

void fence(bool grid) {
  if (CHECKED) watch.fence(grid);
}

}  // namespace atunner
