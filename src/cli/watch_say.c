/* What the commands of `watch` share. */
#include "cli/watch_say.h"

#include <string.h>

#include "base/error.h"

#define SHOWN 20u /* URLs of a verdict that are named; the lists name all */

bez_status bez_watch_plan(const bez_args *args, bez_progress *progress, bez_watch_options *o, bez_error *err) {
  const uint64_t connections = bez_args_number(args, "connections"), retries = bez_args_number(args, "retries");
  *o = (bez_watch_options){.columns = {.url = bez_args_text(args, "url-column"),
                                       .sha256 = bez_args_text(args, "sha256-column"),
                                       .sha512 = bez_args_text(args, "sha512-column"),
                                       .md5 = bez_args_text(args, "md5-column")},
                           .name = bez_args_text(args, "name"),
                           .delay = bez_args_given(args, "delay") ? bez_args_real(args, "delay") : -1,
                           .per_host = bez_args_real(args, "per-host"),
                           .seed = bez_args_number(args, "seed"),
                           .max_bytes = bez_args_number(args, "max-size"),
                           .timeout = bez_args_real(args, "timeout"),
                           .retries = (unsigned)(retries < 20 ? retries : 20),
                           .threads = (unsigned)(connections < 256 ? connections : 256),
                           .no_redirects = !bez_args_flag(args, "redirects"),
                           .agent = bez_args_text(args, "user-agent"),
                           .progress = bez_progress_step,
                           .progress_ctx = progress};
  if (o->agent && strpbrk(o->agent, "\r\n")) return bez_fail(err, BEZ_USAGE, "--user-agent", "holds a line end");
  if (o->per_host <= 0) return bez_fail(err, BEZ_USAGE, "--per-host", "must be above 0");
  return BEZ_OK;
}

static void put_item(bez_buf *out, const json_t *item) {
  const char *page = bez_answer_text(item, "page"), *why = bez_answer_text(item, "why");
  const json_t *distance = json_object_get(item, "distance");
  bez_buf_printf(out, "    row %llu  ", (unsigned long long)bez_answer_number(item, "row"));
  bez_answer_put(out, item, "url");
  if (*why) bez_buf_puts(out, ": "), bez_say_safe(out, why);
  if (distance) bez_buf_printf(out, ", %llu of 64 bits differ", (unsigned long long)json_integer_value(distance));
  if (!strcmp(page, "repeated"))
    bez_buf_printf(out, ", the same bytes at %llu URLs: an error page or a placeholder",
                   (unsigned long long)bez_answer_number(item, "same_at"));
  else if (*page)
    bez_buf_printf(out, ", %s",
                   strcmp(page, "not found") ? page : "an error page that is answered as if all were well");
  if (*bez_answer_text(item, "title"))
    bez_buf_puts(out, ", titled \""), bez_answer_put(out, item, "title"), bez_buf_putc(out, '"');
  if (json_is_true(json_object_get(item, "held"))) bez_buf_puts(out, ", held back: new");
  bez_buf_putc(out, '\n');
}

static void put_verdict(bez_buf *out, const json_t *answer, const char *verdict, const char *what) {
  const json_t *items = json_object_get(answer, "items"), *item;
  const uint64_t n = bez_answer_number(answer, verdict);
  uint64_t shown = 0;
  size_t i;
  if (!n) return;
  bez_buf_printf(out, "  %llu %s\n", (unsigned long long)n, what);
  json_array_foreach(items, i, item) {
    if (strcmp(bez_answer_text(item, "verdict"), verdict) != 0) continue;
    if (shown++ < SHOWN) put_item(out, item);
  }
  if (shown > SHOWN)
    bez_buf_printf(out, "    … and %llu more (--output, --json)\n", (unsigned long long)(shown - SHOWN));
}

void bez_watch_say(bez_buf *out, const json_t *answer) {
  bez_answer_put(out, answer, "list");
  bez_buf_puts(out, ": ");
  bez_answer_count(out, bez_answer_number(answer, "n_urls"), "URL", "URLs");
  bez_buf_putc(out, '\n');
  put_verdict(out, answer, "different", "different: not what was listed, to be refused");
  put_verdict(out, answer, "near", "near: another file of nearly the same picture, for a person to look at");
  put_verdict(out, answer, "unchecked", "not checked");
  put_verdict(out, answer, "first", "without a digest until now");
  put_verdict(out, answer, "exact", "exact");
  if (bez_answer_number(answer, "held"))
    bez_buf_printf(out, "  %llu held back: seen for less than the delay\n",
                   (unsigned long long)bez_answer_number(answer, "held"));
  if (bez_answer_number(answer, "adopted"))
    bez_buf_printf(out, "  %llu taken over: it stood for the delay\n",
                   (unsigned long long)bez_answer_number(answer, "adopted"));
  if (json_object_get(answer, "corrected"))
    bez_buf_printf(out, "  %llu corrected\n", (unsigned long long)bez_answer_number(answer, "corrected"));
  if (*bez_answer_text(answer, "note"))
    bez_buf_puts(out, "  "), bez_answer_put(out, answer, "note"), bez_buf_putc(out, '\n');
}
