/* Typed values as the text of a cell. The builder takes text, whatever the file holds; these writers give the
 * shortest spelling that reads back as the same number, and ISO 8601 for time. All return the length, no NUL. */
#ifndef BEZ_FORMAT_CELLTEXT_H
#define BEZ_FORMAT_CELLTEXT_H

#include <stddef.h>
#include <stdint.h>

#define BEZ_CELLTEXT_MAX 48u /* bytes that any of them may write */

size_t bez_text_int(int64_t value, char *out);
size_t bez_text_uint(uint64_t value, char *out);
size_t bez_text_double(double value, char *out); /* NaN: 0 bytes, the missing cell */
size_t bez_text_float(float value, char *out);
size_t bez_text_half(uint16_t bits, char *out); /* IEEE 754 binary16 */
/* Ticks since 1970-01-01T00:00:00: "2024-05-06T07:08:09.25". Years outside 1…9999: the bare number. */
size_t bez_text_time(int64_t ticks, int64_t per_second, char *out);
size_t bez_text_date(int64_t days, char *out);
size_t bez_text_month(int64_t months, char *out); /* "2024-05-01" */
/* Ticks since midnight: "07:08:09.25". */
size_t bez_text_clock(int64_t ticks, int64_t per_second, char *out);
/* value / 10^scale, digits exact; value is a little-endian two's complement number of 128 bits. */
size_t bez_text_decimal(uint64_t low, int64_t high, int scale, char *out);

#endif
