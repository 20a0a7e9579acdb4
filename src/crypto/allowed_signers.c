/* Reading and writing allowed signers. */
#include "crypto/allowed_signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/time.h"

#define MOST_LINES 100000u

void bez_allowed_signers_free(bez_allowed_signer *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    free(list[i].principal);
    bez_ssh_key_free(list[i].key);
  }
  free(list);
}

/* "20260131", "202601311200", "20260131120000", each with or without "Z" (UTC is taken either way: where a signature is
 * judged must not matter). */
static bool read_time(const char *text, size_t len, int64_t *out) {
  char iso[BEZ_TIME_TEXT];
  const char *t = text;
  if (len && t[len - 1] == 'Z') len--;
  if ((len != 8 && len != 12 && len != 14) || strspn(t, "0123456789") < len) return false;
  snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t, t + 4, t + 6, len > 8 ? t + 8 : "00",
           len > 8 ? t + 10 : "00", len > 12 ? t + 12 : "00");
  return bez_time_parse(iso, out);
}

/* name="value" or name=value at *at; moves on behind it. */
static bool take_option(const char **at, const char **name, size_t *name_len, const char **value, size_t *value_len) {
  *name = *at;
  *name_len = strcspn(*at, "=,\" \t");
  const char *p = *at + *name_len;
  *value = p;
  *value_len = 0;
  if (*p == '=') {
    const bool quoted = p[1] == '"';
    *value = p + 1 + quoted;
    *value_len = strcspn(*value, quoted ? "\"" : ", \t");
    p = *value + *value_len;
    if (quoted && *p++ != '"') return false;
  }
  if (*p == ',') p++;
  *at = p;
  return *name_len > 0;
}

/* Whether a comma-separated list has the name, or "*". */
static bool lists(const char *list, size_t len, const char *name) {
  for (size_t i = 0; i <= len; i++) {
    const size_t n = strcspn(list + i, ",\"");
    const size_t part = n < len - i ? n : len - i;
    if ((part == strlen(name) && !strncmp(list + i, name, part)) || (part == 1 && list[i] == '*')) return true;
    i += part;
  }
  return false;
}

static bool is(const char *text, size_t len, const char *name) {
  return len == strlen(name) && !strncasecmp(text, name, len);
}

/* NULL: fine, else what is wrong. */
static const char *read_options(const char **at, const char *name_space, bez_allowed_signer *out) {
  while (**at && **at != ' ' && **at != '\t') {
    const char *name, *value;
    size_t name_len, value_len;
    if (!take_option(at, &name, &name_len, &value, &value_len)) return "has malformed options";
    if (is(name, name_len, "namespaces")) {
      if (!lists(value, value_len, name_space)) return "trusts a key for other namespaces alone";
    } else if (is(name, name_len, "valid-after")) {
      if (!read_time(value, value_len, &out->valid_after)) return "has a time that is not as in 20260131";
    } else if (is(name, name_len, "valid-before")) {
      if (!read_time(value, value_len, &out->valid_before)) return "has a time that is not as in 20260131";
    } else {
      return is(name, name_len, "cert-authority") ? "trusts an authority of certificates, which is not supported"
                                                  : "has an option that is not known";
    }
  }
  return NULL;
}

static bez_status read_line(const char *line, const char *name_space, const char *subject, int64_t number,
                            bez_allowed_signer *out, bez_error *err) {
  const size_t len = strcspn(line, " \t");
  const size_t first = strcspn(line, ", \t");
  const char *at = line + len + strspn(line + len, " \t");
  bez_error why = {0};
  *out = (bez_allowed_signer){.valid_after = INT64_MIN, .valid_before = INT64_MAX};
  if (first != len || strcspn(line, "*?!\"") < len)
    return bez_fail_at(err, BEZ_FORMAT, subject, number, -1,
                       "names no single principal: patterns and lists are not taken");
  if (strncmp(at, "ssh-", 4) != 0 && strncmp(at, "ecdsa-", 6) != 0 && strncmp(at, "sk-", 3) != 0) {
    const char *wrong = read_options(&at, name_space, out);
    if (wrong) return bez_fail_at(err, BEZ_FORMAT, subject, number, -1, "%s", wrong);
  }
  bez_status st = bez_ssh_key_parse(at, subject, &out->key, &why);
  if (st != BEZ_OK) {
    bez_error_set(err, st, subject, number, -1, "%s", why.message);
    return st;
  }
  out->principal = strndup(line, first);
  return out->principal ? BEZ_OK : bez_fail_memory(err, first);
}

bez_status bez_allowed_signers_parse(const char *text, size_t len, const char *name_space, const char *subject,
                                     bez_allowed_signer **out, size_t *n, bez_error *err) {
  bez_allowed_signer *list = NULL;
  char *copy = strndup(text, len), *save = copy;
  size_t have = 0;
  bez_status st = BEZ_OK;
  if (!copy) return bez_fail_memory(err, len);
  for (int64_t number = 1; save; number++) {
    char *line = strsep(&save, "\n");
    line[strcspn(line, "\r")] = '\0';
    line += strspn(line, " \t");
    if (!*line || *line == '#') continue;
    bez_allowed_signer *grown = reallocarray(list, have + 1, sizeof *grown);
    if (!grown) BEZ_TRY(bez_fail_memory(err, (have + 1) * sizeof *grown));
    list = grown;
    list[have] = (bez_allowed_signer){0};
    if (have >= MOST_LINES) BEZ_TRY(bez_fail(err, BEZ_LIMIT, subject, "more than %u keys", MOST_LINES));
    have++;
    BEZ_TRY(read_line(line, name_space, subject, number, &list[have - 1], err));
  }
  *out = list;
  *n = have;
  list = NULL;
cleanup:
  free(copy);
  bez_allowed_signers_free(list, list ? have : 0);
  return st;
}

static void put_time(bez_buf *out, const char *name, int64_t at) {
  const time_t seconds = (time_t)at;
  struct tm utc;
  char text[32] = "";
  if (gmtime_r(&seconds, &utc) && strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &utc))
    bez_buf_printf(out, ",%s=\"%s\"", name, text);
}

void bez_allowed_signers_put(bez_buf *out, const char *principal, const char *name_space, int64_t valid_after,
                             int64_t valid_before, const bez_ssh_key *key) {
  bez_buf_printf(out, "%s namespaces=\"%s\"", principal, name_space);
  if (valid_after != INT64_MIN) put_time(out, "valid-after", valid_after);
  if (valid_before != INT64_MAX) put_time(out, "valid-before", valid_before);
  bez_buf_printf(out, " %s\n", bez_ssh_key_line(key));
}
