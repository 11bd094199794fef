// Runs one plan: reads the inputs, runs the launches, checks the guards, writes the outputs.
#include <cerrno>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <ucontext.h>

#include "access.h"
#include "sites.h"

namespace atunner {

Memory memory;

namespace {

constexpr unsigned MAX_ROOMS = 256;
Room* rooms[MAX_ROOMS];
unsigned room_count = 0;
Region* dynamic = nullptr;
std::size_t dynamic_limit = 0;
bool started = false;

void read_file(const std::string& path, void* to, std::size_t bytes) {
  int file = open(path.c_str(), O_RDONLY);
  if (file < 0) failed("an input file is missing");
  for (std::size_t got = 0; got < bytes;) {
    ssize_t some = read(file, static_cast<char*>(to) + got, bytes - got);
    if (some <= 0) failed("an input file is too short");
    got += static_cast<std::size_t>(some);
  }
  close(file);
}

void write_file(const std::string& path, const void* from, std::size_t bytes) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) failed("cannot write an output file");
  for (std::size_t put = 0; put < bytes;) {
    ssize_t some = write(file, static_cast<const char*>(from) + put, bytes - put);
    if (some <= 0) failed("cannot write an output file");
    put += static_cast<std::size_t>(some);
  }
  close(file);
}

void on_fault(int signal, siginfo_t* info, void* context) {
  auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Report report(signal == SIGFPE ? "division" : signal == SIGILL ? "trap" : "fault");
#if defined(__x86_64__)
  const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  report.line("pc %lx", static_cast<unsigned long>(registers[REG_RIP]));
  auto frame = static_cast<std::uintptr_t>(registers[REG_RBP]);
#elif defined(__aarch64__)
  const auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  report.line("pc %lx", static_cast<unsigned long>(machine.pc));
  auto frame = static_cast<std::uintptr_t>(machine.regs[29]);
#else
  std::uintptr_t frame = 0;
#endif
  for (int i = 0; i < 12 && block.stacks.holds(frame) && block.stacks.holds(frame + 15); ++i) {
    auto* words = reinterpret_cast<std::uintptr_t*>(frame);
    report.line("at %lx", static_cast<unsigned long>(words[1]));
    if (words[0] <= frame) break;
    frame = words[0];
  }
  Who by = who(block.now);
  report.line("who (%u,%u,%u) (%u,%u,%u)", by.thread[0], by.thread[1], by.thread[2], by.block[0], by.block[1], by.block[2]);
  if (signal == SIGSEGV || signal == SIGBUS) {
    if (block.stacks.overflow(address)) report.line("stack_overflow 1");
    const Region* region = memory.holds(address) ? memory.nearest(address) : nullptr;
    if (region) {
      bool inside = address - region->base < region->bytes;
      report.line("where %s '%s'", region->kind == Kind::GLOBAL ? "buffer" : "shared variable", region->name);
      report.line("size %lu", static_cast<unsigned long>(region->bytes)).line("offset %ld", static_cast<long>(address - region->base));
      if (inside) report.line("readonly 1");
    }
    report.line("address %lx", static_cast<unsigned long>(address));
  }
  report.end();
}

void catch_faults() {
  static char stack[64 * 1024];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

void limit(int what, rlim_t value) {
  rlimit now{};
  getrlimit(static_cast<__rlimit_resource_t>(what), &now);
  now.rlim_cur = std::min(now.rlim_cur, value);
  now.rlim_max = std::min(now.rlim_max, value);
  setrlimit(static_cast<__rlimit_resource_t>(what), &now);
}

// Before any code of the candidate: no core files, no processes, no large files.
__attribute__((constructor(101))) void confine() {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, rlim_t{1} << 31);
  std::size_t bytes = 64 * MAX_ROOMS * PAGE + 4 * 1024 * 1024;
  for (unsigned p = 0; p < atunner_plan_count; ++p) {
    std::size_t needed = 0, shared = 0;
    for (unsigned b = 0; b < atunner_plans[p].buffer_count; ++b) needed += Memory::cost(atunner_plans[p].buffers[b].bytes);
    for (unsigned l = 0; l < atunner_plans[p].launch_count; ++l) shared = std::max(shared, atunner_plans[p].launches[l].shared_bytes);
    bytes = std::max(bytes, needed + 80 * MAX_ROOMS * PAGE);
    dynamic_limit = std::max(dynamic_limit, shared);
  }
  memory.set_up(bytes + Memory::cost(dynamic_limit));
}

}  // namespace

unsigned thread_x() { return block.index[block.now][0]; }
unsigned thread_y() { return block.index[block.now][1]; }
unsigned thread_z() { return block.index[block.now][2]; }
unsigned block_x() { return block.id[0]; }
unsigned block_y() { return block.id[1]; }
unsigned block_z() { return block.id[2]; }
unsigned block_extent(unsigned axis) { return block.extent[axis]; }
unsigned grid_extent(unsigned axis) { return block.grid[axis]; }
unsigned lane() { return block.lane(); }
const std::uint64_t* gathered() { return block.warp[block.now >> 5].gathered; }

void* open_room(Room* room) {
  if (!room->memory) {
    std::size_t alignment = std::max<std::size_t>(room->alignment, 16);
    Region& region = memory.add(room->name, room->bytes, alignment, Kind::SHARED, CHECKED);
    room->memory = reinterpret_cast<void*>(region.base);
    if (room_count == MAX_ROOMS) failed("too many shared variables");
    rooms[room_count++] = room;
    room->block = started ? block.serial : 0;
  } else if (room->block != block.serial) {
    std::memset(room->memory, Memory::POISON, room->bytes);
    room->block = block.serial;
  }
  return room->memory;
}

// Its size is that of the launch; its place is the same for all launches, flush with the end of the largest.
void* dynamic_shared() {
  if (!dynamic) dynamic = &memory.add("extern __shared__", dynamic_limit, 16, Kind::DYNAMIC, CHECKED);
  return reinterpret_cast<void*>(dynamic->base);
}

void interval_ends() {
  if (CHECKED) watch.interval_ends();
}

void enter_block() {
  if (CHECKED) watch.enter();
  if (dynamic) std::memset(reinterpret_cast<void*>(dynamic->base), Memory::POISON, dynamic->bytes);
}

void leave_block() {
  forget_copies();
  interval_ends();
}

void block_barrier(unsigned line) { block.barrier(line, 0, 0); }
int block_barrier_vote(unsigned line, int kind, int predicate) {
  block.barrier(line, kind + 3, predicate);
  return block.voted();
}

std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t bits, int choice, unsigned line) {
  return block.collective(kind, mask, bits, choice, line);
}

std::uint64_t atomic_read(const void* address, unsigned bytes) {
  auto at = reinterpret_cast<std::uintptr_t>(address);
  if (at % bytes) told("misaligned", 0).line("type atomic").line("alignment %u", bytes).line("excess %u", static_cast<unsigned>(at % bytes)).end();
  if (CHECKED) checked_access(at, bytes, true, How::ATOMIC, reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
  if (CHECKED) watch.synchronise(at);
  std::uint64_t bits = 0;
  std::memcpy(&bits, address, bytes);
  return bits;
}
void atomic_write(void* address, unsigned bytes, std::uint64_t bits) { std::memcpy(address, &bits, bytes); }

void trap(const char* what) { told("trap", 0).line("text %s", what).end(); }

namespace {

void load(const Buffer& buffer, Region& region) {
  void* at = reinterpret_cast<void*>(region.base);
  if (buffer.role == INPUT || buffer.role == INOUT) {
    read_file(std::string("in/") + buffer.name, at, buffer.bytes);
    region.initialised = true;
  }
  region.readonly = buffer.role == INPUT;
  if (region.readonly) mprotect(reinterpret_cast<void*>(region.first), region.last - region.first, PROT_READ);
}

void check_guards(const Buffer* buffers, unsigned count, Region* const* regions) {
  for (unsigned i = 1; i < memory.count; ++i)
    if (!memory.intact(memory.regions[i])) {
      const Region& region = memory.regions[i];
      Report("guard").line("where %s '%s'", region.kind == Kind::GLOBAL ? "buffer" : "shared variable", region.name).end();
    }
  if (!CHECKED) return;
  for (unsigned b = 0; b < count; ++b) {
    if (buffers[b].role != OUTPUT) continue;
    std::size_t missing = 0, first = 0, cells = (buffers[b].bytes + (1u << regions[b]->shift) - 1) >> regions[b]->shift;
    for (std::size_t i = cells; i-- > 0;)
      if (!regions[b]->cells[i].write.epoch) ++missing, first = i << regions[b]->shift;
    if (missing)
      Report("unwritten").line("where %s", buffers[b].name).line("missing %lu", static_cast<unsigned long>((missing << regions[b]->shift) / buffers[b].element))
          .line("first %lu", static_cast<unsigned long>(first / buffers[b].element)).line("elements %lu", static_cast<unsigned long>(buffers[b].bytes / buffers[b].element)).end();
  }
}

void run(const Plan& plan, unsigned order, std::uint64_t seed) {
  Region* regions[MAX_REGIONS];
  static void* addresses[MAX_REGIONS];  // in the image: the candidate reads it
  unsigned most = 1;
  for (unsigned b = 0; b < plan.buffer_count; ++b) {
    regions[b] = &memory.add(plan.buffers[b].name, plan.buffers[b].bytes, Memory::ALIGN, Kind::GLOBAL, CHECKED);
    addresses[b] = reinterpret_cast<void*>(regions[b]->base);
    load(plan.buffers[b], *regions[b]);
  }
  for (unsigned l = 0; l < plan.launch_count; ++l) most = std::max(most, plan.launches[l].block[0] * plan.launches[l].block[1] * plan.launches[l].block[2]);
  block.stacks.set_up(most + 1);
  block.clocks = CHECKED;
  started = true;
  for (unsigned l = 0; l < plan.launch_count; ++l) {
    if (plan.launches[l].shared_bytes) dynamic_shared();
    if (dynamic) {
      dynamic->bytes = dynamic_limit;
      std::memset(reinterpret_cast<void*>(dynamic->base), Memory::POISON, dynamic_limit);
      dynamic->bytes = plan.launches[l].shared_bytes;
    }
    block.run(plan.launches[l], addresses, order, seed + l);
  }
  check_guards(plan.buffers, plan.buffer_count, regions);
  for (unsigned b = 0; b < plan.buffer_count; ++b)
    if (plan.buffers[b].role == OUTPUT || plan.buffers[b].role == INOUT)
      write_file(std::string("out/") + plan.buffers[b].name, addresses[b], plan.buffers[b].bytes);
}

}  // namespace
}  // namespace atunner

int main(int count, char** words) {
  if (count != 4) atunner::failed("usage: check PLAN ORDER SEED");
  unsigned plan = static_cast<unsigned>(std::atoi(words[1]));
  if (plan >= atunner_plan_count) atunner::failed("no such plan");
  atunner::catch_faults();
  atunner::run(atunner_plans[plan], static_cast<unsigned>(std::atoi(words[2])), std::strtoull(words[3], nullptr, 10));
  std::fflush(stdout);
  _exit(0);
}
