/* openat2 keeps the kernel's walk below the folder; where there is none, a walk without any symbolic link. */
#include "format/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int walk(int folder, const char *name) {
  char part[256];
  int at = dup(folder);
  while (at >= 0) {
    size_t len = strcspn(name, "/");
    const int last = !name[len];
    int next = -1;
    if (len < sizeof part && strncmp(name, "..", len > 2 ? len : 2) != 0) {
      memcpy(part, name, len);
      part[len] = '\0';
      next = openat(at, len ? part : ".", last ? FLAGS | O_NOFOLLOW : O_PATH | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
    }
    close(at);
    at = next;
    if (last) break;
    name += len + 1;
  }
  return at;
}

int bez_open_beneath(int folder, const char *name) {
  if (folder < 0 || !*name || *name == '/') return -1;
  struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
  return fd < 0 && (errno == ENOSYS || errno == EPERM) ? walk(folder, name) : fd;
}
