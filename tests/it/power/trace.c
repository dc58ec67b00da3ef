/* Preloaded into a program: records what it changes below one folder, and when it asks for that to be synced, in the
 * one order in which it happened. What is recorded is replayed by replay.rs.
 *
 * FRONTDESK_TRACED  the folder
 * FRONTDESK_NOTES   a file whose writes are the program's own notes, recorded in the same order
 * FRONTDESK_TRACE   where the records go
 * FRONTDESK_ROOM    how many bytes may be written into the folder; then the disk is full
 *
 * A sync is recorded before it is carried out, so that nothing that is written meanwhile counts as synced; and then not
 * carried out, because the disk is an imagined one. sync_file_range promises nothing and is not recorded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, MKDIR, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, NOTE };

struct record {
  uint64_t op, inode, other, offset, names, length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *traced, *notes;
static int trace = -1;
static uint64_t left = UINT64_MAX;

static void die(const char *what) {
  perror(what);
  abort();
}

__attribute__((constructor)) static void begin(void) {
  traced = getenv("FRONTDESK_TRACED");
  notes = getenv("FRONTDESK_NOTES");
  const char *path = getenv("FRONTDESK_TRACE");
  if (!traced || !notes || !path) return;
  if (getenv("FRONTDESK_ROOM")) left = strtoull(getenv("FRONTDESK_ROOM"), NULL, 10);
  trace = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace < 0) die("FRONTDESK_TRACE");
}

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) die(name);
  return found;
}

static int below(const char *path) {
  size_t length = traced ? strlen(traced) : 0;
  return trace >= 0 && !strncmp(path, traced, length) && (path[length] == '/' || !path[length]);
}

/* Whether a descriptor is one of a traced file (1), of the notes (2), or of something else (0). */
static int kind(int fd) {
  char link[40], path[PATH_MAX];
  if (trace < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return below(path) ? 1 : !strcmp(path, notes) ? 2 : 0;
}

static uint64_t inode(int fd) {
  struct stat found;
  if (fstat(fd, &found)) die("fstat");
  return found.st_ino;
}

static uint64_t folder_of(const char *path) {
  char folder[PATH_MAX];
  struct stat found;
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (!slash) die(path);
  *slash = 0;
  if (stat(folder, &found)) die(folder);
  return found.st_ino;
}

static const char *name_of(const char *path) { return strrchr(path, '/') + 1; }

static void put(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length) {
    ssize_t done = syscall(SYS_write, trace, at, length);
    if (done < 0) die("the trace");
    at += done;
    length -= done;
  }
}

static void record(uint64_t op, uint64_t node, uint64_t other, uint64_t offset, const char *name, const char *second,
                   const void *bytes, size_t length) {
  size_t names = name ? strlen(name) + 1 : 0, more = second ? strlen(second) + 1 : 0;
  struct record head = {op, node, other, offset, names + more, length};
  put(&head, sizeof head);
  put(name, names);
  put(second, more);
  put(bytes, length);
}

static int open_traced(const char *name, const char *path, int flags, mode_t mode) {
  int (*next)(const char *, int, ...) = real(name);
  if (!(flags & (O_CREAT | O_TRUNC)) || !below(path)) return next(path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat before;
  int there = !stat(path, &before);
  int fd = next(path, flags, mode);
  if (fd >= 0 && !there) record(CREATE, inode(fd), folder_of(path), 0, name_of(path), NULL, NULL, 0);
  if (fd >= 0 && there && (flags & O_TRUNC)) record(TRUNCATE, inode(fd), 0, 0, NULL, NULL, NULL, 0);
  pthread_mutex_unlock(&lock);
  return fd;
}

#define OPEN(function)                                              \
  int function(const char *path, int flags, ...) {                  \
    va_list more;                                                   \
    va_start(more, flags);                                          \
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;       \
    va_end(more);                                                   \
    return open_traced(#function, path, flags, mode);               \
  }
OPEN(open)
OPEN(open64)

static ssize_t write_traced(int fd, const void *bytes, size_t length, off_t offset, int placed) {
  ssize_t (*at)(int, const void *, size_t, off_t) = real("pwrite64");
  ssize_t (*next)(int, const void *, size_t) = real("write");
  int found = kind(fd);
  if (!found) return placed ? at(fd, bytes, length, offset) : next(fd, bytes, length);
  pthread_mutex_lock(&lock);
  if (found == 1 && left < length) {
    length = left;
    if (!length) {
      pthread_mutex_unlock(&lock);
      errno = ENOSPC;
      return -1;
    }
  }
  if (!placed) offset = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
  ssize_t done = placed ? at(fd, bytes, length, offset) : next(fd, bytes, length);
  if (done > 0 && found == 1) left -= done;
  if (done > 0) record(found == 1 ? WRITE : NOTE, inode(fd), 0, offset, NULL, NULL, bytes, done);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return write_traced(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return write_traced(fd, bytes, length, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return write_traced(fd, bytes, length, at, 1); }

/* May write less than it was asked to: the first piece. */
ssize_t writev(int fd, const struct iovec *pieces, int count) {
  ssize_t (*next)(int, const struct iovec *, int) = real("writev");
  if (!kind(fd)) return next(fd, pieces, count);
  for (int at = 0; at < count; at++)
    if (pieces[at].iov_len) return write_traced(fd, pieces[at].iov_base, pieces[at].iov_len, 0, 0);
  return 0;
}

static int truncate_traced(int fd, off_t length) {
  int (*next)(int, off_t) = real("ftruncate64");
  if (kind(fd) != 1) return next(fd, length);
  pthread_mutex_lock(&lock);
  int failed = next(fd, length);
  if (!failed) record(TRUNCATE, inode(fd), 0, length, NULL, NULL, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}

int ftruncate(int fd, off_t length) { return truncate_traced(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_traced(fd, length); }

static int sync_traced(const char *name, int fd, int data) {
  int (*next)(int) = real(name);
  if (kind(fd) != 1) return next(fd);
  pthread_mutex_lock(&lock);
  record(SYNC, inode(fd), data, 0, NULL, NULL, NULL, 0);
  pthread_mutex_unlock(&lock);
  return 0;
}

int fsync(int fd) { return sync_traced("fsync", fd, 0); }
int fdatasync(int fd) { return sync_traced("fdatasync", fd, 1); }

int mkdir(const char *path, mode_t mode) {
  int (*next)(const char *, mode_t) = real("mkdir");
  if (!below(path)) return next(path, mode);
  pthread_mutex_lock(&lock);
  struct stat made;
  int failed = next(path, mode);
  if (!failed && stat(path, &made)) die(path);
  if (!failed) record(MKDIR, made.st_ino, folder_of(path), 0, name_of(path), NULL, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}

int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *) = real("rename");
  if (!below(from) && !below(to)) return next(from, to);
  pthread_mutex_lock(&lock);
  int failed = next(from, to);
  if (!failed) record(RENAME, folder_of(from), folder_of(to), 0, name_of(from), name_of(to), NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}

int unlink(const char *path) {
  int (*next)(const char *) = real("unlink");
  if (!below(path)) return next(path);
  pthread_mutex_lock(&lock);
  int failed = next(path);
  if (!failed) record(UNLINK, folder_of(path), 0, 0, name_of(path), NULL, NULL, 0);
  pthread_mutex_unlock(&lock);
  return failed;
}
