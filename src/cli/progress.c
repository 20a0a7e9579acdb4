#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/say.h"

#define QUIET_SECONDS 1.0 /* shorter work shows nothing */
#define LINE_SECONDS 0.1
#define PLAIN_SECONDS 5.0

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bez_progress_start(bez_progress *p, const char *mode) {
  *p = (bez_progress){.started = now()};
  p->stage_started = p->shown = p->started;
  if (!strcmp(mode, "plain")) p->mode = BEZ_PROGRESS_PLAIN;
  if (!strcmp(mode, "auto") && isatty(STDERR_FILENO)) p->mode = BEZ_PROGRESS_LINE;
}

static void put_amount(bez_buf *out, double amount, const char *unit) {
  static const char *const big[] = {"", "k", "M", "G", "T"};
  size_t scale = 0;
  while (amount >= 1000 && scale + 1 < sizeof big / sizeof *big) amount /= 1000, scale++;
  bool bytes = !strcmp(unit, "bytes");
  bez_buf_printf(out, scale && amount < 100 ? "%.1f %s%s" : "%.0f %s%s", amount, big[scale], bytes ? "B" : "");
  if (!bytes) bez_buf_printf(out, "%s%s", scale ? " " : "", unit);
}

static void put_time(bez_buf *out, double seconds) {
  unsigned long s = (unsigned long)(seconds + 0.5);
  if (s < 60)
    bez_buf_printf(out, "%lu s", s);
  else if (s < 3600)
    bez_buf_printf(out, "%lu:%02lu min", s / 60, s % 60);
  else
    bez_buf_printf(out, "%lu:%02lu h", s / 3600, s / 60 % 60);
}

/* A rate means something for what comes in thousands; of a few classes or folds, the count says more. */
static bool is_countless(const char *unit) {
  return !strcmp(unit, "rows") || !strcmp(unit, "bytes") || !strcmp(unit, "messages") || !strcmp(unit, "lines");
}

static void put_line(bez_buf *out, const bez_progress *p, const char *unit, uint64_t done, uint64_t total, double t) {
  double spent = t - p->stage_started;
  bez_say_safe(out, p->stage);
  if (total && is_countless(unit))
    bez_buf_printf(out, "  %3.0f %%", 100.0 * (double)(done < total ? done : total) / (double)total);
  else if (total > 1)
    bez_buf_printf(out, "  %llu of %llu %s", (unsigned long long)done, (unsigned long long)total, unit);
  if (spent > 0 && done && is_countless(unit)) {
    bez_buf_puts(out, "  ");
    put_amount(out, (double)done / spent, unit);
    bez_buf_puts(out, "/s");
  }
  bez_buf_puts(out, "  ");
  if (total > done && done && spent > 0) {
    put_time(out, spent * (double)(total - done) / (double)done);
    bez_buf_puts(out, " left");
  } else {
    put_time(out, spent);
  }
}

static void show(bez_progress *p, const char *unit, uint64_t done, uint64_t total, double t) {
  bez_buf out = {0};
  if (p->mode == BEZ_PROGRESS_LINE) bez_buf_puts(&out, "\r\033[K");
  put_line(&out, p, unit, done, total, t);
  if (p->mode == BEZ_PROGRESS_PLAIN) bez_buf_putc(&out, '\n');
  if (out.data) (void)!write(STDERR_FILENO, out.data, out.len);
  bez_buf_free(&out);
  p->on_screen = p->mode == BEZ_PROGRESS_LINE;
  p->shown = t;
}

bool bez_progress_step(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  bez_progress *p = ctx;
  if (bez_signals_stop()) return false;
  if (p->mode == BEZ_PROGRESS_NONE) return true;
  double t = now();
  if (strncmp(p->stage, stage, sizeof p->stage - 1) != 0) {
    snprintf(p->stage, sizeof p->stage, "%s", stage);
    p->stage_started = t;
  }
  double wait = p->mode == BEZ_PROGRESS_LINE ? LINE_SECONDS : PLAIN_SECONDS;
  if (t - p->started >= QUIET_SECONDS && t - p->shown >= wait) show(p, unit, done, total, t);
  return true;
}

void bez_progress_end(bez_progress *p) {
  if (p->on_screen) (void)!write(STDERR_FILENO, "\r\033[K", 4);
  p->on_screen = false;
}
