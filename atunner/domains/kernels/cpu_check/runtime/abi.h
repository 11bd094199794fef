// What a candidate's translation unit and the runtime know of each other.
#pragma once
#include <cstddef>
#include <cstdint>

namespace atunner {

enum Role : unsigned { INPUT, OUTPUT, INOUT, WORKSPACE };

struct Buffer {
  const char* name;
  std::size_t bytes;
  unsigned element;
  Role role;
};

// start calls the kernel for one CUDA thread; `buffers` are in the order of Plan::buffers.
struct Launch {
  const char* kernel;
  unsigned grid[3];
  unsigned block[3];
  std::size_t shared_bytes;
  void (*start)(void* const* buffers);
};

struct Plan {
  const Buffer* buffers;
  unsigned buffer_count;
  const Launch* launches;
  unsigned launch_count;
};

// One declaration of a __shared__ variable; memory is given when it is first met.
struct Room {
  const char* name;
  std::size_t bytes;
  std::size_t alignment;
  void* memory;
  unsigned region;
  unsigned block;
};

// Converts to whatever pointer the kernel takes.
struct Pointer {
  void* address;
  template <class T> operator T*() const { return static_cast<T*>(address); }
};

// The same for the whole life of one CUDA thread, so the compiler may keep them in registers.
[[gnu::const]] unsigned thread_x();
[[gnu::const]] unsigned thread_y();
[[gnu::const]] unsigned thread_z();
[[gnu::const]] unsigned block_x();
[[gnu::const]] unsigned block_y();
[[gnu::const]] unsigned block_z();
[[gnu::const]] unsigned block_extent(unsigned axis);
[[gnu::const]] unsigned grid_extent(unsigned axis);
[[gnu::const]] unsigned lane();

void* open_room(Room* room);
void* dynamic_shared();

// `line` is the line of the call.
void block_barrier(unsigned line);
int block_barrier_vote(unsigned line, int kind, int predicate);  // kind: 0 count, 1 and, 2 or
void fence(bool grid);

// Warp collectives: every lane in `mask` deposits `bits`; `choice` is a source lane or an operation.
enum class Collective : unsigned { SYNC, SHUFFLE, BALLOT, MATCH_ANY, MATCH_ALL, REDUCE, GATHER };
std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t bits, int choice, unsigned line);
// After a GATHER: what each lane of the warp deposited, until the warp's next GATHER.
const std::uint64_t* gathered();

// Atomic access: checked, and never a race with another atomic access.
std::uint64_t atomic_read(const void* address, unsigned bytes);
void atomic_write(void* address, unsigned bytes, std::uint64_t bits);

// Asynchronous copies of the running thread: in flight until waited for.
void async_copy(void* to, const void* from, unsigned bytes, unsigned zeroed);
void async_commit();
void async_wait(unsigned groups_left);
void async_wait_oldest();

void* copy(void* to, const void* from, std::size_t bytes);
void* fill(void* to, int value, std::size_t bytes);

// Warp matrix loads and stores want 32-byte aligned tiles and strides of 16 bytes.
void aligned(const void* tile, std::size_t stride_bytes);

[[noreturn]] void trap(const char* what);

}  // namespace atunner

extern "C" const atunner::Plan atunner_plans[];
extern "C" const unsigned atunner_plan_count;
