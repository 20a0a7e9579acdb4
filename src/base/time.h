/* Points in time as people write them: RFC 3339 in UTC, whole seconds. */
#ifndef BEZ_BASE_TIME_H
#define BEZ_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define BEZ_TIME_TEXT 24u /* bytes of "2026-01-31T12:00:00Z" and its NUL, with room */

/* Seconds since 1970 as text; years 1970 to 9999, what lies outside is moved to the nearest. */
void bez_time_text(int64_t seconds, char out[BEZ_TIME_TEXT]);
/* Exactly "YYYY-MM-DDTHH:MM:SSZ", or a day "YYYY-MM-DD" (its first second); false: anything else, or no such day. */
bool bez_time_parse(const char *text, int64_t *seconds);
/* The clock; $SOURCE_DATE_EPOCH (seconds since 1970) where it is set. */
int64_t bez_time_now(void);
/* The machine's clock, whatever the environment says. */
int64_t bez_time_machine(void);

#endif
