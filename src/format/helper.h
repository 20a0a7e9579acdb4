/* The sandboxed helper program, bezoar-decode (src/decode/), from the parent's side: what asking for pictures and
 * asking for models have in common. */
#ifndef BEZ_FORMAT_HELPER_H
#define BEZ_FORMAT_HELPER_H

#include "base/spawn.h"

#define BEZ_HELPER_NAME "bezoar-decode"

/* One helper process, for one thread; started when it is needed. */
typedef struct bez_helper {
  bez_child child;
  bool running;
  unsigned served; /* files since it was started */
  bool unconfined; /* set by the caller: start it without its sandbox (--sandbox=off), still a process of its own */
} bez_helper;      /* zero-initialise; stop with bez_helper_stop in the thread that asked last */

/* What a helper may take; 0: no limit. Memory is not limited under sanitizers, which reserve terabytes of addresses. */
typedef struct bez_helper_limits {
  uint64_t memory, heap; /* as in bez_spawn */
  unsigned cpu_seconds, patience;
} bez_helper_limits;

/* mode: its argument, NULL none. BEZ_UNSUPPORTED where there is no helper on this machine: "WHAT by bezoar-decode,
 * which is not installed". */
BEZ_MUST_USE bez_status bez_helper_start(bez_helper *helper, const char *mode, const bez_helper_limits *limits,
                                         const char *what, bez_error *err);
/* The exit code of the helper that was stopped, 128 + signal; 0 where none was running. */
int bez_helper_stop(bez_helper *helper);

/* The exit codes that say that the sandbox could not be started: of the process before it is the helper, of the helper.
 */
#define BEZ_HELPER_NO_FILTER 126
#define BEZ_HELPER_NO_SANDBOX 3

/* Where the helper is: beside the file this code was loaded from (./, bin/, ../libexec/bezoar/), else where it was
 * built to be installed; PATH is not asked. False: nowhere. */
bool bez_helper_path(char out[4096]);

#endif
