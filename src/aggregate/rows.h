/* The floating-point coordinates of the updates as the rows of a matrix that nobody ever stacks: read tile by tile
 * where they lie, as differences from the reference model.
 *
 * A pass goes over the tiles in a fixed number of blocks, whatever the thread count, and sums of blocks are added in
 * order: same input, same bytes. */
#ifndef BEZ_AGGREGATE_ROWS_H
#define BEZ_AGGREGATE_ROWS_H

#include "base/threads.h"
#include "bezoar/aggregate.h"
#include "math/weighted.h"

/* One layer of the result. */
typedef struct bez_rows_layer {
  const bez_layer *like; /* name, type and shape */
  uint64_t len;          /* items */
  uint64_t first_tile, first_coordinate;
  const bez_layer **client;   /* of each row */
  const bez_layer *reference; /* NULL: zero */
  void *out;                  /* the caller's buffer */
} bez_rows_layer;

/* Rows that are weighted sums of other rows: what pre-aggregators make. */
typedef struct bez_mix {
  uint32_t n_out, n_in;
  double *weight; /* n_out × n_in; owned */
} bez_mix;

typedef struct bez_update_rows {
  uint32_t n;     /* rows of clients that take part … */
  uint32_t extra; /* … then rows that are not theirs: the server's own update, a remembered vector */
  uint32_t n_layers;
  bez_rows_layer *layers; /* floating-point layers only */
  uint64_t d, n_tiles;    /* coordinates, tiles */
  uint32_t tile;          /* coordinates of a tile */
  bool *raw;              /* n + extra: this row is a difference already */
  bez_mix *mix;           /* NULL: the rows are the clients' */
  unsigned threads;
  uint32_t cpu;
  bez_watch *watch;
  double noise; /* standard deviation added to results, 0 none … */
  uint64_t noise_seed;
  _Atomic bool odd;      /* a pass met NaN or infinity */
  bool doubted;          /* such a pass is to stop and look for the culprits (bez_rows_pass_finite) */
  bool looked;           /* it did: suspect says which rows they are */
  _Atomic bool *suspect; /* n + extra; owned, NULL before */
} bez_update_rows;

/* Rows of a pass: those of the mix, or the clients, then the extra ones. */
static inline uint32_t bez_rows_count(const bez_update_rows *rows) {
  return (rows->mix ? rows->mix->n_out : rows->n) + rows->extra;
}

/* A piece of every row, valid during the call. */
typedef struct bez_tile {
  const bez_rows_layer *layer;
  uint64_t at; /* first coordinate within the layer */
  size_t len;
  bool wide;              /* row[i] points to double, else to float */
  const void *const *row; /* bez_rows_count() pointers */
  bool *odd;              /* for the pass to set where it met NaN or infinity */
} bez_tile;

typedef bez_status (*bez_tile_pass)(void *ctx, const bez_tile *tile, uint32_t block, unsigned worker, bez_error *err);

/* Calls on every tile; blocks in parallel, the tiles of one block in order. */
BEZ_MUST_USE bez_status bez_rows_pass(const bez_update_rows *rows, uint32_t n_blocks, bez_tile_pass fn, void *ctx,
                                      bez_error *err);
/* The same for a pass that notices NaN and infinity: rows->odd is set. Where it would notice them in any row (all) and
 * the rows are doubted, the tiles that are left are then only looked at for them, and BEZ_CANCELLED says that the pass
 * came to nothing. */
BEZ_MUST_USE bez_status bez_rows_pass_finite(bez_update_rows *rows, bool all, uint32_t n_blocks, bez_tile_pass fn,
                                             void *ctx, bez_error *err);
/* How many blocks when each keeps `bytes` of sums: all of them together stay below 32 MiB. */
uint32_t bez_rows_blocks(size_t bytes);

/* Writes a tile of the result (float or double as the tile is) where it belongs, the reference added. */
void bez_tile_store(const bez_tile *tile, const void *values);

/* The layer's result less the reference, as float (double where the layer is): out has room for all of it. */
void bez_rows_difference(const bez_rows_layer *layer, void *out);

/* Squared distances between all rows, the caller's to free, N = bez_rows_count() + 1; the last row is zero, so that its
 * distances are squared norms. out: N × N, symmetric. */
BEZ_MUST_USE bez_status bez_rows_distances(bez_update_rows *rows, double **out, bez_error *err);

/* z = Σ weight[i] · row i, written (with the rows' noise) to the result when store is set; to[i] becomes |row i − z|²
 * where to is not NULL. */
BEZ_MUST_USE bez_status bez_rows_combine(bez_update_rows *rows, const double *weight, bool store, double *to,
                                         bez_error *err);

/* Which rows hold NaN or infinity; a pass, unless one has looked already. */
BEZ_MUST_USE bez_status bez_rows_finite(const bez_update_rows *rows, bool *finite, bez_error *err);

/* Whether the first number of each layer is finite: a model that diverged shows without a pass. */
bool bez_update_begins_finite(const bez_update *update);

#endif
