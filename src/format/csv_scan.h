/* Finding the structure of CSV 64 bytes at a time: where separators and line ends stand outside of quotes.
 *
 * The scan toggles "inside" at every quote. That equals the reference splitter's reading as long as each opening quote
 * stands first in its cell (or doubles the one before it) and each quoted cell ends with its closing quote: the first
 * is checked here (bad_quote), the second where cells are made. Where either fails the tile is read by the splitter. */
#ifndef BEZ_FORMAT_CSV_SCAN_H
#define BEZ_FORMAT_CSV_SCAN_H

#include "format/csv.h"

#define BEZ_CSV_SCAN_PAD 64u /* bytes behind `to` that a scan may read, and entries behind n_at that it may write */

typedef struct bez_csv_marks {
  uint32_t *at;      /* positions of separators and line ends; room for one per byte scanned plus the pad */
  uint32_t *row_end; /* indices into at of the line ends; the same room */
  uint32_t n_at, n_rows;
  uint64_t inside;  /* all ones while in a quoted cell */
  uint64_t prev_ok; /* 1: the byte before is a separator, a line end or a quote */
  uint64_t n_cr;    /* carriage returns */
  uint64_t odd;     /* some byte ≥ 0x80 (bit 0), some NUL (bit 1), some quote (bit 2) */
  uint64_t bad_quote;
} bez_csv_marks;

/* Appends the marks of buf[from, to); state carries over from call to call. All kernels give the same marks. */
typedef void (*bez_csv_scan_fn)(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *dialect,
                                bez_csv_marks *marks);

void bez_csv_scan_plain(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *dialect,
                        bez_csv_marks *marks);
void bez_csv_scan_avx2(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *dialect,
                       bez_csv_marks *marks);
void bez_csv_scan_avx512(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *dialect,
                         bez_csv_marks *marks);

/* The fastest kernel that the mask (base/cpu.h) allows. */
bez_csv_scan_fn bez_csv_scanner(uint32_t cpu);

#define BEZ_CSV_ODD_HIGH 1u
#define BEZ_CSV_ODD_NUL 2u
#define BEZ_CSV_ODD_QUOTE 4u

/* One bit per byte of a block of 64. */
typedef struct bez_csv_bits {
  uint64_t structural; /* separators and line ends */
  uint64_t newline, quote, cr, nul, high;
} bez_csv_bits;

static inline uint64_t bez_csv_prefix_xor(uint64_t x) {
  x ^= x << 1;
  x ^= x << 2;
  x ^= x << 4;
  x ^= x << 8;
  x ^= x << 16;
  return x ^ x << 32;
}

/* What all kernels do with the bits of one block: `valid` has a bit for each byte before `to`. */
static inline void bez_csv_take_block(bez_csv_marks *m, uint32_t base, bez_csv_bits b, uint64_t valid) {
  uint64_t marks = b.structural & valid, quote = b.quote & valid;
  m->n_cr += (uint64_t)__builtin_popcountll(b.cr & valid);
  m->odd |= (uint64_t)((b.high & valid) != 0) | (uint64_t)((b.nul & valid) != 0) << 1;
  if (quote | m->inside) {
    uint64_t inside = bez_csv_prefix_xor(quote) ^ m->inside;
    marks &= ~inside;
    m->bad_quote |= quote & inside & ~((marks | quote) << 1 | m->prev_ok);
    m->inside = (uint64_t)((int64_t)inside >> 63);
    m->odd |= BEZ_CSV_ODD_QUOTE;
  }
  m->prev_ok = (marks | quote) >> 63;
  uint32_t *at = m->at + m->n_at;
  for (uint64_t newline = b.newline & marks; newline; newline &= newline - 1)
    m->row_end[m->n_rows++] = m->n_at + (uint32_t)__builtin_popcountll(marks & ((newline & -newline) - 1));
  m->n_at += (uint32_t)__builtin_popcountll(marks);
  while (marks) { /* eight at a time: how many there are is hard to foretell, that there are some is not */
    for (int k = 0; k < 8; k++) {
      at[k] = base + (uint32_t)__builtin_ctzll(marks | (uint64_t)1 << 63);
      marks &= marks - 1;
    }
    at += 8;
  }
}

#endif
