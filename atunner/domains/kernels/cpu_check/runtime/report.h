// Findings: written as lines of key and value, read by the Python side, which turns addresses into source lines.
#pragma once
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace atunner {

constexpr int FOUND = 9;  // exit status: the report says what is wrong
constexpr int FAILED = 8; // exit status: the checker itself could not go on

struct Who {
  unsigned thread[3];
  unsigned block[3];
};

// Return addresses, innermost first. The first one that lies in the candidate's source is shown.
struct Stack {
  std::uintptr_t at[16];
  unsigned count;
};

class Report {
 public:
  explicit Report(const char* kind) { line("kind %s", kind); }
  __attribute__((format(printf, 2, 3))) Report& line(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int wrote = std::vsnprintf(text_ + used_, sizeof text_ - used_ - 1, format, arguments);
    va_end(arguments);
    if (wrote > 0) used_ += static_cast<unsigned>(wrote);
    if (used_ > sizeof text_ - 2) used_ = sizeof text_ - 2;
    text_[used_++] = '\n';
    return *this;
  }
  Report& stack(const char* name, const Stack& stack) {
    for (unsigned i = 0; i < stack.count; ++i) line("%s %lx", name, static_cast<unsigned long>(stack.at[i]));
    return *this;
  }
  [[noreturn]] void end(int status = FOUND) {
    int file = open("report", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0 && write(file, text_, used_) == static_cast<ssize_t>(used_)) close(file);
    _exit(status);
  }

 private:
  char text_[6000];
  unsigned used_ = 0;
};

[[noreturn]] inline void failed(const char* text) { Report("failed").line("text %s", text).end(FAILED); }

}  // namespace atunner
