// Makes calls of the system fail in a program that is run with it (LD_PRELOAD), or kills the program when it is about to make
// one, or tells it to stop; but only calls for files whose paths begin with one of those that FAIL_UNDER names, divided by colons. What has no path
// is called as in /proc/self/fd: `socket` is every connection, `pipe` what others read or write.
// The FAIL_FIRST-th call of FAIL_CALL (write, say), counted over all threads, fails with FAIL_ERROR (ENOSPC, say), and where
// FAIL_FOR_GOOD is set all that follow. Where FAIL_ERROR is SIGKILL the program dies instead, and the call is not made. Where
// it is SIGTERM or SIGHUP the program gets that, as from somebody else, and the call is made when it has had time to notice.
// FAIL_LOG gets a line for each call: its name and its path, behind a "!" where it failed or brought a signal.
//
// strace knows whole paths only, and counts in each thread: it cannot tell a new file of a repository from a terminal, nor
// hit each call of a program whose threads take turns.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

// Without doubled slashes, which one name of a file may have and another not.
static void tidy(const char *path, char *tidied, size_t size) {
  size_t length = 0;
  for (; *path && length + 1 < size; path++)
    if (path[0] != '/' || path[1] != '/') tidied[length++] = *path;
  tidied[length] = 0;
}

static int is_watched(const char *path) {
  char folders[4 * PATH_MAX], *rest = NULL;
  const char *named = getenv("FAIL_UNDER");
  if (!named) return 0;
  tidy(named, folders, sizeof folders);
  for (char *folder = strtok_r(folders, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest))
    if (strncmp(path, folder, strlen(folder)) == 0) return 1;
  return 0;
}

static int error_number(void) {
  const char *name = getenv("FAIL_ERROR");
  for (int number = 1; name && number < 200; number++) {
    const char *known = strerrorname_np(number);
    if (known && strcmp(known, name) == 0) return number;
  }
  return 0;
}

// The bare calls: those of the C library come here.
static void note(const char *call, const char *path, int fails) {
  char line[PATH_MAX + 64];
  const char *log = getenv("FAIL_LOG");
  int file = log ? syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (file < 0) return;
  int length = snprintf(line, sizeof line, "%s%s %s\n", fails ? "!" : "", call, path);
  syscall(SYS_write, file, line, length < (int)sizeof line ? length : (int)sizeof line - 1);
  syscall(SYS_close, file);
}

// 0 where none is asked for.
static int signal_number(void) {
  const char *name = getenv("FAIL_ERROR");
  if (!name || strncmp(name, "SIG", 3) != 0) return 0;
  return strcmp(name, "SIGTERM") == 0 ? SIGTERM : strcmp(name, "SIGHUP") == 0 ? SIGHUP : SIGKILL;
}

// To the program, not to the thread: that is what somebody else can do.
static void send_signal(int number) {
  struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
  kill(getpid(), number);
  nanosleep(&moment, NULL);
}

// Whether a call shall fail; errno says how, and is as it was where not.
static int fails(const char *call, const char *path) {
  char tidied[PATH_MAX];
  int before = errno, number = 0, is_hit = 0;
  const char *chosen = getenv("FAIL_CALL");
  tidy(path, tidied, sizeof tidied);
  if (is_watched(tidied)) {
    if (chosen && strcmp(chosen, call) == 0) {
      long count = atomic_fetch_add(&calls, 1) + 1, first = atol(getenv("FAIL_FIRST"));
      int signal = signal_number();
      is_hit = count == first || (count > first && getenv("FAIL_FOR_GOOD"));
      if (signal && count == first) send_signal(signal);
      if (is_hit && !signal) number = error_number();
    }
    note(call, tidied, is_hit);
  }
  errno = number ? number : before;
  return number != 0;
}

static int fails_for_file(const char *call, int file) {
  char link[64], path[PATH_MAX];
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = 0;
  return fails(call, path);
}

// The same for a path that begins at an open folder.
static int fails_at(const char *call, int folder, const char *path) {
  char whole[2 * PATH_MAX], link[64];
  if (path[0] == '/' || folder == AT_FDCWD) return fails(call, path);
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, whole, PATH_MAX);
  errno = before;
  if (length < 0) return 0;
  snprintf(whole + length, sizeof whole - length, "/%s", path);
  return fails(call, whole);
}

// What follows the flags of a call that may make a file; of others nothing does.
static mode_t mode_behind(int flags, va_list rest) { return flags & O_CREAT ? va_arg(rest, mode_t) : 0; }

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_behind(flags, rest);
  va_end(rest);
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  return fails("open", path) ? -1 : real(path, flags, mode);
}

ssize_t read(int file, void *bytes, size_t count) {
  ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
  return fails_for_file("read", file) ? -1 : real(file, bytes, count);
}

ssize_t write(int file, const void *bytes, size_t count) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  return fails_for_file("write", file) ? -1 : real(file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
  ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
  return fails_for_file("write", file) ? -1 : real(file, bytes, count, place);
}

// One that fails closes the file all the same; a file that was only read has nothing to lose by it.
int close(int file) {
  int (*real)(int) = dlsym(RTLD_NEXT, "close");
  int flags = fcntl(file, F_GETFL);
  int is_written = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
  int has_failed = is_written && fails_for_file("close", file), number = errno;
  int result = real(file);
  if (!has_failed) return result;
  errno = number;
  return -1;
}

int fsync(int file) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  return fails_for_file("fsync", file) ? -1 : real(file);
}

int sync_file_range(int file, off64_t place, off64_t count, unsigned flags) {
  int (*real)(int, off64_t, off64_t, unsigned) = dlsym(RTLD_NEXT, "sync_file_range");
  return fails_for_file("sync_file_range", file) ? -1 : real(file, place, count, flags);
}

int ftruncate(int file, off_t length) {
  int (*real)(int, off_t) = dlsym(RTLD_NEXT, "ftruncate");
  return fails_for_file("ftruncate", file) ? -1 : real(file, length);
}

int fchmod(int file, mode_t mode) {
  int (*real)(int, mode_t) = dlsym(RTLD_NEXT, "fchmod");
  return fails_for_file("chmod", file) ? -1 : real(file, mode);
}

int chmod(const char *path, mode_t mode) {
  int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "chmod");
  return fails("chmod", path) ? -1 : real(path, mode);
}

struct dirent *readdir(DIR *folder) {
  struct dirent *(*real)(DIR *) = dlsym(RTLD_NEXT, "readdir");
  return fails_for_file("readdir", dirfd(folder)) ? NULL : real(folder);
}

int rename(const char *path, const char *new) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  return fails("rename", new) ? -1 : real(path, new);
}

int mkdir(const char *path, mode_t mode) {
  int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
  return fails("mkdir", path) ? -1 : real(path, mode);
}

int unlink(const char *path) {
  int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
  return fails("unlink", path) ? -1 : real(path);
}

int rmdir(const char *path) {
  int (*real)(const char *) = dlsym(RTLD_NEXT, "rmdir");
  return fails("rmdir", path) ? -1 : real(path);
}

// Those that begin at an open folder go by the names of the others.

int openat(int folder, const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_behind(flags, rest);
  va_end(rest);
  int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat");
  return fails_at("open", folder, path) ? -1 : real(folder, path, flags, mode);
}

int renameat(int folder, const char *path, int other, const char *new) {
  int (*real)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
  return fails_at("rename", other, new) ? -1 : real(folder, path, other, new);
}

int mkdirat(int folder, const char *path, mode_t mode) {
  int (*real)(int, const char *, mode_t) = dlsym(RTLD_NEXT, "mkdirat");
  return fails_at("mkdir", folder, path) ? -1 : real(folder, path, mode);
}

int unlinkat(int folder, const char *path, int flags) {
  int (*real)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");
  const char *call = flags & AT_REMOVEDIR ? "rmdir" : "unlink";
  return fails_at(call, folder, path) ? -1 : real(folder, path, flags);
}

// What libpq and libmariadb call, by the names that the system has for it.

int connect(int connection, const struct sockaddr *address, socklen_t length) {
  int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
  return fails_for_file("connect", connection) ? -1 : real(connection, address, length);
}

ssize_t send(int connection, const void *bytes, size_t count, int flags) {
  ssize_t (*real)(int, const void *, size_t, int) = dlsym(RTLD_NEXT, "send");
  return fails_for_file("sendto", connection) ? -1 : real(connection, bytes, count, flags);
}

ssize_t recv(int connection, void *bytes, size_t count, int flags) {
  ssize_t (*real)(int, void *, size_t, int) = dlsym(RTLD_NEXT, "recv");
  return fails_for_file("recvfrom", connection) ? -1 : real(connection, bytes, count, flags);
}
