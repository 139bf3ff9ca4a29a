// Keeps TensorFlow's chatter from burying the one line of an error.
//
// It begins while the library is loaded, before main, and its level is read
// from the environment once: so the program starts itself again with the level
// set, in the one place that the loader calls before any library's own code.
// The C library is not ready there: no setenv, no allocation.

#include <unistd.h>

#include <cstring>

namespace {

constexpr char kVariable[] = "TF_CPP_MIN_LOG_LEVEL=";
constexpr int kMaxVariables = 4096;  // more: TensorFlow chatters

void StartQuietly(int, char** argv, char** environment) {
  static char setting[] = "TF_CPP_MIN_LOG_LEVEL=3";
  static char* extended[kMaxVariables + 2];
  int count = 0;
  for (; environment[count]; ++count) {
    const bool known = !std::strncmp(environment[count], kVariable,
                                     sizeof(kVariable) - 1);
    if (known || count == kMaxVariables) return;
    extended[count] = environment[count];
  }
  extended[count] = setting;
  execve("/proc/self/exe", argv, extended);
}

__attribute__((section(".preinit_array"), used)) void (*const kStart)(
    int, char**, char**) = StartQuietly;

}  // namespace
