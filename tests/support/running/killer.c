// Preloaded into a process, it kills that process at the n-th time that it writes to, cuts or synchronises a file of a
// spool. A write is torn: half of it is done first.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long left = 0;
static long done = 0;

void arm(long at) { left = at; done = 0; }
long counted(void) { return done; }

static int ours(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "payback.spool") != NULL;
}

static int due(void) { done++; return left > 0 && --left == 0; }
static void end(void) { kill(getpid(), SIGKILL); pause(); }

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define PWRITE(name, offset_t)                                                     \
  ssize_t name(int fd, const void *bytes, size_t size, offset_t offset) {          \
    REAL(name);                                                                    \
    if (ours(fd) && due()) { real(fd, bytes, size / 2, offset); end(); }           \
    return real(fd, bytes, size, offset);                                          \
  }
#define BEFORE(type, name, parameters, arguments)                                  \
  type name parameters { REAL(name); if (ours(fd) && due()) end(); return real arguments; }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
BEFORE(int, fsync, (int fd), (fd))
BEFORE(int, fdatasync, (int fd), (fd))
BEFORE(int, ftruncate, (int fd, off_t size), (fd, size))
BEFORE(int, ftruncate64, (int fd, off64_t size), (fd, size))
ssize_t write(int fd, const void *bytes, size_t size) {
  REAL(write);
  if (ours(fd) && due()) { real(fd, bytes, size / 2); end(); }
  return real(fd, bytes, size);
}
int unlink(const char *path) {
  REAL(unlink);
  if (strstr(path, "payback.spool") && due()) end();
  return real(path);
}
