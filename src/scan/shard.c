/* Shards and saved states: what a process saves for another, and what a scan takes from yesterday's. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "scan/scan.h"

bez_status bez_scan_open_state(bez_scan_options *o, bez_state **out, bez_error *err) {
  bez_status st = bez_state_open(o->with, out, err);
  if (st == BEZ_OK) st = bez_state_complete(*out, err);
  return st == BEZ_OK ? bez_state_adopt(*out, &o->read, err) : st;
}

static void say_count(bez_report *report, const char *key, uint64_t n) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)n);
  if (n) bez_report_run_info(report, key, text);
}

void bez_scan_say_reuse(bez_scan *scan, const bez_reuse *reuse) {
  bez_report *r = scan->report;
  bez_scan_reuse *out = scan->options->reuse;
  const char *changed = reuse->changed.data ? reuse->changed.data : "",
             *gone = reuse->gone.data ? reuse->gone.data : "";
  bez_report_run_info(r, "state", scan->options->with);
  say_count(r, "files taken from it", reuse->n_same);
  say_count(r, "new files", reuse->n_new);
  say_count(r, "changed files", reuse->n_changed);
  say_count(r, "files read again", reuse->n_replanned);
  say_count(r, "files that are gone", reuse->n_gone);
  if (*changed) bez_report_run_info(r, "changed", changed);
  if (*gone) bez_report_run_info(r, "gone", gone);
  if (!out) return;
  *out = (bez_scan_reuse){.n_same = reuse->n_same,
                          .n_new = reuse->n_new,
                          .n_changed = reuse->n_changed,
                          .n_replanned = reuse->n_replanned,
                          .n_gone = reuse->n_gone};
  snprintf(out->changed, sizeof out->changed, "%s", changed);
  snprintf(out->gone, sizeof out->gone, "%s", gone);
}

static bez_status check(const bez_scan_options *o, uint32_t shard, uint32_t n_shards, bez_error *err) {
  if (!n_shards || n_shards > BEZ_MAX_SHARDS || shard >= n_shards)
    return bez_fail(err, BEZ_USAGE, "--shard", "shards are 1/1 to %u/%u", BEZ_MAX_SHARDS, BEZ_MAX_SHARDS);
  if (o->read.sample) return bez_fail(err, BEZ_USAGE, "--sample", "belongs to the scan of the merged shards");
  if (o->read.embeddings) return bez_fail(err, BEZ_USAGE, "--embeddings", "belongs to the scan of the merged shards");
  if (o->with) return bez_fail(err, BEZ_USAGE, "--with", "a shard is read from its files");
  if (o->read.threads > BEZ_MAX_THREADS) return bez_fail(err, BEZ_USAGE, "--threads", "at most %u", BEZ_MAX_THREADS);
  return BEZ_OK;
}

bez_status bez_shard_save(const char *const *paths, size_t n_paths, const bez_scan_options *options, uint32_t shard,
                          uint32_t n_shards, const char *out_path, uint64_t *n_rows, bez_error *err) {
  bez_scan_options own = options ? *options : (bez_scan_options){0};
  bez_state_use use = {.save = out_path, .shard = shard, .n_shards = n_shards};
  *n_rows = 0;
  bez_status st = check(&own, shard, n_shards, err);
  if (st != BEZ_OK) return st;
  own.read.threads = own.read.threads ? own.read.threads : bez_cpu_count();
  for (size_t i = 0; i < n_paths; i++) {
    const char *what = bez_scan_identify(NULL, paths[i]);
    if (what)
      return bez_fail(err, BEZ_UNSUPPORTED, paths[i], "is %s: shards are cut from tables, text and pictures", what);
  }
  use.n_rows = n_rows;
  return bez_table_open_with(paths, n_paths, &own.read, &use, NULL, err);
}

bez_status bez_shard_merge(const char *const *states, size_t n_states, const char *out_path, uint64_t *n_rows,
                           bez_error *err) {
  *n_rows = 0;
  if (!n_states) return bez_fail(err, BEZ_USAGE, NULL, "no state given");
  return bez_state_merge(states, n_states, out_path, n_rows, err);
}
