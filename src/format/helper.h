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
void bez_helper_stop(bez_helper *helper);

/* Where the helper is: beside the file this code was loaded from (./, bin/, ../libexec/bezoar/), else where it was
 * built to be installed; PATH is not asked. False: nowhere. */
bool bez_helper_path(char out[4096]);

#endif
