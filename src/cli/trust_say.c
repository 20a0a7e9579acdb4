/* Keys, trust and sources as text for people. */
#include "cli/trust_say.h"

#include <stdlib.h>
#include <string.h>

void bez_say_member(bez_buf *out, const char *name, const char *value) {
  if (!*value) return;
  bez_buf_printf(out, "  %-12s ", name);
  bez_say_safe(out, value);
  bez_buf_putc(out, '\n');
}

void bez_say_texts(bez_buf *out, const json_t *list) {
  size_t i;
  const json_t *item;
  json_array_foreach(list, i, item) {
    bez_buf_puts(out, i ? ", " : "");
    bez_say_safe(out, json_is_string(item) ? json_string_value(item) : "?");
  }
}

void bez_say_key(bez_buf *out, const json_t *answer) {
  bez_answer_put(out, answer, "name");
  bez_buf_putc(out, '\n');
  bez_say_member(out, "private", bez_answer_text(answer, "path"));
  bez_say_member(out, "public", bez_answer_text(answer, "public"));
  bez_say_member(out, "fingerprint", bez_answer_text(answer, "fingerprint"));
}

static void say_list(bez_buf *out, const char *name, const json_t *list) {
  bez_buf_printf(out, "  %-12s ", name);
  bez_say_texts(out, list);
  bez_buf_putc(out, '\n');
}

void bez_say_grant(bez_buf *out, const json_t *grant) {
  const char *state = bez_answer_text(grant, "state"), *since = bez_answer_text(grant, "since");
  bez_answer_put(out, grant, "principal");
  if (*state) bez_buf_puts(out, "  ");
  bez_say_safe(out, state);
  if (*since) {
    bez_buf_puts(out, " since ");
    bez_say_safe(out, since);
  }
  if (*bez_answer_text(grant, "reason")) {
    bez_buf_puts(out, ": ");
    bez_answer_put(out, grant, "reason");
  }
  bez_buf_putc(out, '\n');
  bez_say_member(out, "key", bez_answer_text(grant, "key"));
  say_list(out, "roles", json_object_get(grant, "roles"));
  say_list(out, "sources", json_object_get(grant, "sources"));
  say_list(out, "paths", json_object_get(grant, "paths"));
  bez_say_member(out, "from", bez_answer_text(grant, "valid_after"));
  bez_say_member(out, "until", bez_answer_text(grant, "valid_before"));
}

void bez_say_source(bez_buf *out, const json_t *answer) {
  static const char *const groups[] = {"source", "provenance", "use"};
  const json_t *fields = json_object_get(answer, "fields"), *missing = json_object_get(answer, "missing");
  const char *name;
  json_t *value;
  bez_answer_put(out, answer, "id");
  bez_buf_putc(out, '\n');
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    json_object_foreach(json_object_get(fields, groups[i]), name, value) {
      char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
      bez_buf_printf(out, "  %s.", groups[i]);
      bez_say_safe(out, name);
      bez_buf_puts(out, "  ");
      bez_say_safe(out, text ? text : json_is_string(value) ? json_string_value(value) : "");
      bez_buf_putc(out, '\n');
      free(text);
    }
  }
  if (!json_array_size(missing)) return;
  bez_buf_puts(out, "  not stated, though the Data Provenance Standards ask for it: ");
  bez_say_texts(out, missing);
  bez_buf_putc(out, '\n');
}

void bez_say_policy(bez_buf *out, const json_t *answer) {
  const json_t *policy = json_object_get(answer, "policy"), *rules = json_object_get(policy, "scan_rules");
  const bool scan = json_is_true(json_object_get(policy, "require_scan"));
  bez_buf_printf(out, "A commit needs ");
  bez_answer_count(out, bez_answer_number(policy, "signatures"), "signature", "signatures of different principals");
  bez_buf_puts(out, ", and a submission a source that is known.\n");
  bez_buf_puts(out, json_is_true(json_object_get(policy, "require_reader"))
                        ? "Who reads needs a key that is trusted.\n"
                        : "Anybody may read; who does, and with which key, is written down.\n");
  if (scan) {
    bez_buf_puts(out, "What is added is scanned first, and refused for a finding at or above ");
    bez_answer_put(out, policy, "scan_fail_on");
    if (json_array_size(rules)) bez_buf_puts(out, " of ");
    bez_say_texts(out, rules);
    bez_buf_puts(out, ".\n");
  } else {
    bez_buf_puts(out, "What is added need not be scanned.\n");
  }
  const double delay = json_number_value(json_object_get(policy, "delay_seconds"));
  if (delay > 0) bez_buf_printf(out, "Fresh edits of a watched source are held back for %.0f s.\n", delay);
}
