/* The progress line: on standard error, only for work above a second. */
#ifndef BEZ_CLI_PROGRESS_H
#define BEZ_CLI_PROGRESS_H

#include "bezoar/base.h"

typedef enum bez_progress_mode { BEZ_PROGRESS_NONE, BEZ_PROGRESS_LINE, BEZ_PROGRESS_PLAIN } bez_progress_mode;

typedef struct bez_progress {
  bez_progress_mode mode;
  double started, stage_started, shown; /* seconds of the monotonic clock */
  char stage[64];
  bool on_screen;
} bez_progress;

/* mode: "auto" (a line where standard error is a terminal, else none), "plain" (a line of its own now and then), or
 * "none". */
void bez_progress_start(bez_progress *progress, const char *mode);
/* A bez_progress_fn; also where signals stop the work. */
bool bez_progress_step(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total);
/* Takes the line off the screen. */
void bez_progress_end(bez_progress *progress);

#endif
