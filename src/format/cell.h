/* What one cell says: missing, a number, a time. Independent of the locale. */
#ifndef BEZ_FORMAT_CELL_H
#define BEZ_FORMAT_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empty (or only spaces), or one of NA, N/A, NaN, nan, null, NULL, None, ?. */
bool bez_cell_is_missing(const char *p, size_t len);

typedef struct bez_number_form {
  bool integer;     /* no point, no exponent, finite */
  uint8_t decimals; /* digits behind the point */
  bool plain;       /* [-]digits[.digits] without '+', leading or trailing spaces, or exponent */
} bez_number_form;

/* [+-]digits[.digits][e[+-]digits] or [+-]inf[inity], spaces around it allowed. Correctly rounded. Digits that begin
 * with a needless 0 ("007") are a code and no number. form may be NULL. */
bool bez_parse_number(const char *p, size_t len, double *out, bez_number_form *form);

/* ISO 8601: YYYY-MM-DD, or that with T or a space and HH:MM[:SS[.fraction]] and [Z|±HH[:]MM]. Seconds since
 * 1970-01-01T00:00Z in the proleptic Gregorian calendar; a time without zone is read as UTC. */
bool bez_parse_time(const char *p, size_t len, double *out);

#endif
