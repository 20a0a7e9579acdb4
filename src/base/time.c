/* RFC 3339 in UTC, without the C library's locale and time zone. */
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAST_SECOND 253402300799 /* of the year 9999 */

void bez_time_text(int64_t seconds, char out[BEZ_TIME_TEXT]) {
  const time_t at = (time_t)(seconds < 0 ? 0 : seconds > LAST_SECOND ? LAST_SECOND : seconds);
  struct tm utc;
  if (!gmtime_r(&at, &utc) || !strftime(out, BEZ_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc))
    snprintf(out, BEZ_TIME_TEXT, "1970-01-01T00:00:00Z");
}

static bool digits(const char *text, size_t n, int *out) {
  *out = 0;
  for (size_t i = 0; i < n; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *out = *out * 10 + (text[i] - '0');
  }
  return true;
}

bool bez_time_parse(const char *text, int64_t *seconds) {
  const size_t len = strlen(text);
  struct tm utc = {0};
  if (len != 10 && len != 20) return false;
  if (!digits(text, 4, &utc.tm_year) || text[4] != '-' || !digits(text + 5, 2, &utc.tm_mon) || text[7] != '-' ||
      !digits(text + 8, 2, &utc.tm_mday))
    return false;
  if (len == 20 &&
      (text[10] != 'T' || !digits(text + 11, 2, &utc.tm_hour) || text[13] != ':' ||
       !digits(text + 14, 2, &utc.tm_min) || text[16] != ':' || !digits(text + 17, 2, &utc.tm_sec) || text[19] != 'Z'))
    return false;
  utc.tm_year -= 1900;
  utc.tm_mon -= 1;
  const struct tm asked = utc;
  const time_t at = timegm(&utc); /* moves what no calendar has, such as the 31st of June */
  if (at < 0 || utc.tm_year != asked.tm_year || utc.tm_mon != asked.tm_mon || utc.tm_mday != asked.tm_mday ||
      utc.tm_hour != asked.tm_hour || utc.tm_min != asked.tm_min || utc.tm_sec != asked.tm_sec)
    return false;
  *seconds = (int64_t)at;
  return true;
}

int64_t bez_time_now(void) {
  const char *fixed = getenv("SOURCE_DATE_EPOCH");
  char *end = NULL;
  if (fixed && *fixed) {
    errno = 0;
    const long long at = strtoll(fixed, &end, 10);
    if (!errno && !*end && at >= 0 && at <= LAST_SECOND) return at;
  }
  return bez_time_machine();
}

int64_t bez_time_machine(void) {
  return (int64_t)time(NULL);
}
