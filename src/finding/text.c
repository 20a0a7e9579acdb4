/* Strings that enter a report are cleaned once, here, so that no writer meets malformed UTF-8. */
#include "finding/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static const char ELLIPSIS[] = "\xE2\x80\xA6";

void *bez_report_array(bez_report *report, size_t count, size_t size) {
  void *out = bez_arena_array(&report->arena, count, size);
  if (!out) report->out_of_memory = true;
  return out;
}

char *bez_report_copy(bez_report *report, const char *text, size_t len) {
  bool clean = bez_utf8_valid(text, len) && !memchr(text, 0, len);
  if (len > SIZE_MAX / 4) {
    report->out_of_memory = true;
    return NULL;
  }
  char *out = bez_report_array(report, (clean ? len : 3 * len) + 1, 1); /* one bad byte becomes three */
  if (!out) return NULL;
  if (clean) {
    if (len) memcpy(out, text, len);
    return out;
  }
  size_t n = 0;
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    at += bez_utf8_decode(text + at, len - at, &cp, NULL);
    n += bez_utf8_encode(cp ? cp : 0xFFFD, out + n);
  }
  return out;
}

char *bez_report_text(bez_report *report, const char *text) {
  return text ? bez_report_copy(report, text, strlen(text)) : NULL;
}

/* The longest prefix of at most `ceiling` bytes that does not end inside a character. */
static size_t cut_point(const char *text, size_t ceiling) {
  while (ceiling > 0 && ((unsigned char)text[ceiling] & 0xC0) == 0x80) ceiling--;
  return ceiling;
}

char *bez_report_vprintf(bez_report *report, size_t ceiling, const char *fmt, va_list args) {
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, fmt, args);
  char *raw = len < 0 ? NULL : bez_report_array(report, (size_t)len + 1, 1);
  if (raw) vsnprintf(raw, (size_t)len + 1, fmt, again);
  va_end(again);
  if (!raw) {
    report->out_of_memory = true;
    return NULL;
  }
  size_t size = (size_t)len;
  bool valid = bez_utf8_valid(raw, size);
  if (valid && size <= ceiling) return raw;
  char *text = valid ? raw : bez_report_copy(report, raw, size);
  if (!text || strlen(text) <= ceiling) return text;
  size_t keep = cut_point(text, ceiling - strlen(ELLIPSIS));
  char *out = bez_report_array(report, keep + sizeof ELLIPSIS, 1);
  if (!out) return NULL;
  memcpy(out, text, keep);
  memcpy(out + keep, ELLIPSIS, sizeof ELLIPSIS);
  return out;
}

void bez_number_text(double value, char out[32]) {
  if (isfinite(value) && value == floor(value) && fabs(value) < 1e15)
    snprintf(out, 32, "%.0f", value);
  else
    snprintf(out, 32, "%.4g", value);
  if (!strcmp(out, "-0")) memcpy(out, "0", 2);
  for (char *p = out; *p; p++) /* the host program's locale may print a decimal comma */
    if (!strchr("0123456789+-.eaifn", *p)) *p = '.';
}
