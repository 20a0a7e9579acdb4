/* Order statistics across rows, coordinate by coordinate: the inner loop of trimmed mean, median, MeaMed and Bulyan.
 *
 * n rows of len numbers are sorted at each coordinate by a sorting network (Batcher, "Sorting networks and their
 * applications", AFIPS 1968). Up to 32 rows are held in registers; more are sorted sixteen at a time, and the network
 * of the sixteens merges two where it would compare two.
 * Coordinates never meet, so every instruction set and every split of the coordinates gives the same bits; permuting
 * the rows does, too. Thread safe: all state is the caller's. */
#ifndef BEZ_MATH_ORDER_H
#define BEZ_MATH_ORDER_H

#include "bezoar/base.h"

typedef enum bez_order_kind {
  BEZ_ORDER_RANKS, /* mean of the values of rank lo … hi − 1 (0 is the smallest) */
  BEZ_ORDER_NEAR   /* mean of the hi − lo values nearest to the median; of two equally far the smaller one stays */
} bez_order_kind;

/* Two sorted runs become one, in place; a run that nobody reads later is left unspecified. */
typedef struct bez_order_merge {
  uint16_t low, high; /* which sixteens */
  bool keep_low, keep_high;
} bez_order_merge;

#define BEZ_ORDER_RUN 16u

typedef struct bez_order {
  bez_order_kind kind;
  uint32_t n, lo, hi;       /* lo < hi ≤ n */
  bez_order_merge *merges;  /* for n above 32, else NULL; owned */
  uint32_t n_merges, slots; /* values sorted: n, for n above 32 whole sixteens */
  uint32_t ahead;           /* bytes of a row that memory is asked for beforehand */
} bez_order;

#define BEZ_ORDER_MAX_ROWS 16384u

/* BEZ_USAGE when the ranks are not within n, BEZ_LIMIT above BEZ_ORDER_MAX_ROWS. Merges that cannot matter for
 * ranks lo … hi − 1 are left out. */
BEZ_MUST_USE bez_status bez_order_make(bez_order_kind kind, uint32_t n, uint32_t lo, uint32_t hi, bez_order *out,
                                       bez_error *err);
void bez_order_free(bez_order *order);

/* Bytes of scratch that one call needs, aligned to 64. */
size_t bez_order_scratch(const bez_order *order);

#define BEZ_ORDER_GROUP 64u /* coordinates that a row is judged over at once */

/* What a call adds to, per row. */
typedef struct bez_order_judge {
  uint64_t *outside; /* coordinates where the value lies beyond the values kept (one equal to a value kept is kept) */
  double *square;    /* squared distance to the result, with the precision of math/distance.h */
} bez_order_judge;

/* out[c] for c < len ≤ BEZ_DISTANCE_TILE, within the range of the values it is the mean of. rows: n pointers, none may
 * overlap out. judge: NULL, or what to add to. False: some value is NaN or infinite; out and judge are then
 * meaningless. */
typedef bool (*bez_order_f32_fn)(const bez_order *order, const float *const *rows, size_t len, float *out,
                                 const bez_order_judge *judge, void *scratch);
typedef bool (*bez_order_f64_fn)(const bez_order *order, const double *const *rows, size_t len, double *out,
                                 const bez_order_judge *judge, void *scratch);

bez_order_f32_fn bez_order_f32(uint32_t cpu); /* the fastest of a feature mask (base/cpu.h) */
bez_order_f64_fn bez_order_f64(uint32_t cpu);

#define BEZ_ORDER_KERNELS(isa)                                                                                         \
  bool bez_order_f32_##isa(const bez_order *order, const float *const *rows, size_t len, float *out,                   \
                           const bez_order_judge *judge, void *scratch);                                               \
  bool bez_order_f64_##isa(const bez_order *order, const double *const *rows, size_t len, double *out,                 \
                           const bez_order_judge *judge, void *scratch);
BEZ_ORDER_KERNELS(plain)
BEZ_ORDER_KERNELS(avx2)
BEZ_ORDER_KERNELS(avx512)

#endif
