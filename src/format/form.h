/* Cells of one fixed form as whole numbers: "12.50" with two decimals is 1250, "2024-02-01 10:00:00" its seconds.
 *
 * A column of many different numbers or times of one form needs no dictionary while it is read: each row keeps one
 * number, from which the very bytes of the cell can be printed again. Cells of any other form go to the dictionary. */
#ifndef BEZ_FORMAT_FORM_H
#define BEZ_FORMAT_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum bez_form_kind {
  BEZ_FORM_NONE = 0,
  BEZ_FORM_DECIMAL, /* [-]digits[.digits], exactly `decimals` of them behind the point, at most 15 digits in all */
  BEZ_FORM_DATE,    /* YYYY-MM-DD */
  BEZ_FORM_TIME,    /* YYYY-MM-DD?HH:MM:SS with `mark` for ?, and a Z behind it where `zulu` */
  BEZ_FORM_FLOAT    /* any number; printed in the shortest form that reads back the same */
} bez_form_kind;

typedef struct bez_form {
  bez_form_kind kind;
  uint8_t decimals;
  char mark;
  bool zulu;
} bez_form;

/* The form a cell has, BEZ_FORM_NONE where it has none (never BEZ_FORM_FLOAT). */
bez_form bez_form_of(const char *p, size_t len);
bool bez_form_equal(bez_form a, bez_form b);

/* The cell as a whole number; false where the cell is not of the form, to the byte (FLOAT: is no finite number). Larger
 * numbers mean larger values, and BEZ_FORM_LEAST is below all of them. */
#define BEZ_FORM_LEAST (INT64_MIN + ((int64_t)1 << 40))
bool bez_form_parse(bez_form form, const char *p, size_t len, int64_t *out);
/* Whether x is what some cell of the form gives: numbers from a saved state may be anything. */
bool bez_form_holds(bez_form form, int64_t x);
/* The value it stands for (seconds since 1970 for dates and times). */
double bez_form_value(bez_form form, int64_t x);
/* The cell's bytes; returns their number, at most 32. */
size_t bez_form_print(bez_form form, int64_t x, char out[40]);

#endif
