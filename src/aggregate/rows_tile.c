/* Tiles: from tensors of any floating-point type and stride to rows of float or double, and back. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "aggregate/layout.h"
#include "base/error.h"
#include "math/half.h"

#define ALIGNMENT 64u

typedef struct scratch {
  void *bytes;
  const void **row;    /* rows of the tile … */
  const void **source; /* … and of the clients behind a mix */
} scratch;

typedef struct pass {
  const bez_update_rows *rows;
  uint32_t n_blocks;
  bez_tile_pass fn;
  void *ctx;
  scratch *scratch;             /* one per worker */
  double *weight, *scale, *one; /* of the mix (scale_mix); weight is owned */
  const bez_weighted *kernels;
  _Atomic bool *suspect; /* NULL: odd numbers do not stop the pass */
  _Atomic bool *odd;     /* of the rows */
} pass;

static bool in_c_order(const bez_layer *layer) {
  int64_t stride = 1;
  for (uint32_t k = layer->n_dims; layer->strides && k-- > 0;) {
    if (layer->shape[k] != 1 && layer->strides[k] != stride) return false;
    stride *= (int64_t)layer->shape[k];
  }
  return true;
}

/* Items at … at + len − 1 as float or double. */
static void convert(const bez_layer *layer, uint64_t at, size_t len, bool wide, void *out) {
  const bool dense = in_c_order(layer);
  if (dense && layer->dtype == BEZ_DTYPE_F32 && !wide) {
    memcpy(out, (const float *)layer->data + at, len * sizeof(float));
    return;
  }
  if (dense && layer->dtype == BEZ_DTYPE_F64 && wide) {
    memcpy(out, (const double *)layer->data + at, len * sizeof(double));
    return;
  }
  for (size_t c = 0; c < len; c++) {
    double x = bez_layer_item(layer, dense ? (int64_t)(at + c) : bez_layer_place(layer, at + c));
    if (wide)
      ((double *)out)[c] = x;
    else
      ((float *)out)[c] = (float)x;
  }
}

/* A difference of finite numbers stays finite: beyond the largest number it is that number. What is not finite stays so
 * (bez_rows_finite tells). */
static void subtract_f32(float *x, const float *reference, size_t len) {
  for (size_t c = 0; c < len; c++) {
    float d = x[c] - reference[c];
    x[c] = isinf(d) && isfinite(x[c]) ? copysignf(FLT_MAX, d) : d;
  }
}

static void subtract_f64(double *x, const double *reference, size_t len) {
  for (size_t c = 0; c < len; c++) {
    double d = x[c] - reference[c];
    x[c] = isinf(d) && isfinite(x[c]) ? copysign(DBL_MAX, d) : d;
  }
}

/* The row's piece: where it lies when that will do, else converted into `room`. */
static const void *load(const bez_update_rows *rows, const bez_rows_layer *layer, uint32_t i, uint64_t at, size_t len,
                        bool wide, void *room, void *reference) {
  const bez_layer *from = layer->client[i];
  const bool differ = layer->reference && !rows->raw[i];
  const bez_dtype own = wide ? BEZ_DTYPE_F64 : BEZ_DTYPE_F32;
  if (!differ && from->dtype == own && in_c_order(from))
    return (const char *)from->data + at * (wide ? sizeof(double) : sizeof(float));
  convert(from, at, len, wide, room);
  if (!differ) return room;
  convert(layer->reference, at, len, wide, reference);
  if (wide)
    subtract_f64(room, reference, len);
  else
    subtract_f32(room, reference, len);
  return room;
}

/* Floats are summed before the largest weight of a sum is multiplied in: with equal weights the sum is exact as a rule,
 * and so the same for any order of the rows. */
static bez_status scale_mix(pass *p, bez_error *err) {
  const bez_mix *mix = p->rows->mix;
  if (!mix) return BEZ_OK;
  const size_t cells = (size_t)mix->n_out * mix->n_in;
  p->weight = calloc(cells + 2 * (size_t)mix->n_out, sizeof *p->weight);
  if (!p->weight) return bez_fail_memory(err, (cells + 2 * (size_t)mix->n_out) * sizeof *p->weight);
  p->scale = p->weight + cells;
  p->one = p->scale + mix->n_out;
  for (uint32_t k = 0; k < mix->n_out; k++) {
    const double *from = mix->weight + (size_t)k * mix->n_in;
    double most = 0;
    for (uint32_t i = 0; i < mix->n_in; i++) most = fmax(most, fabs(from[i]));
    p->scale[k] = most;
    p->one[k] = 1;
    for (uint32_t i = 0; i < mix->n_in; i++) p->weight[(size_t)k * mix->n_in + i] = most > 0 ? from[i] / most : 0;
  }
  return BEZ_OK;
}

static void mix_rows(const pass *p, const scratch *s, size_t len, bool wide, void *const *out) {
  const bez_mix *mix = p->rows->mix;
  if (wide)
    p->kernels->mix_f64(s->source, mix->n_in, mix->weight, p->one, mix->n_out, len, (double *const *)out);
  else
    p->kernels->mix_f32(s->source, mix->n_in, p->weight, p->scale, mix->n_out, len, (float *const *)out);
}

static size_t room_of(const bez_update_rows *rows) {
  return (size_t)rows->tile * sizeof(double) + ALIGNMENT;
}

static void look(const pass *p, const void *const *source, uint32_t n, size_t len, bool wide) {
  const bez_weighted *kernels = p->kernels;
  for (uint32_t i = 0; i < n; i++)
    if (wide ? !kernels->finite_f64(source[i], len) : !kernels->finite_f32(source[i], len)) p->suspect[i] = true;
}

static bez_status run_tile(const pass *p, const bez_rows_layer *layer, uint64_t at, uint32_t block, unsigned worker,
                           bez_error *err) {
  const bez_update_rows *rows = p->rows;
  const scratch *s = &p->scratch[worker];
  const bool wide = layer->like->dtype == BEZ_DTYPE_F64;
  const uint32_t sources = rows->n + rows->extra, mixed = rows->mix ? rows->mix->n_out : 0;
  size_t len = layer->len - at < rows->tile ? (size_t)(layer->len - at) : rows->tile;
  char *room = s->bytes;
  void *spare = room + (size_t)(sources + mixed) * room_of(rows); /* the reference's piece, then the sum of a mix */
  for (uint32_t i = 0; i < sources; i++)
    s->source[i] = load(rows, layer, i, at, len, wide, room + i * room_of(rows), spare);
  for (uint32_t i = 0; i < mixed; i++) s->row[i] = room + (size_t)(sources + i) * room_of(rows);
  if (mixed) mix_rows(p, s, len, wide, (void *const *)s->row);
  for (uint32_t i = 0; rows->mix && i < rows->extra; i++) s->row[mixed + i] = s->source[rows->n + i];
  bool odd = p->suspect && *p->odd;
  bez_tile tile = {
      .layer = layer, .at = at, .len = len, .wide = wide, .row = rows->mix ? s->row : s->source, .odd = &odd};
  bez_status st = odd ? BEZ_OK : p->fn(p->ctx, &tile, block, worker, err);
  if (!odd || !p->odd) return st;
  *p->odd = true;
  if (p->suspect) look(p, s->source, sources, len, wide);
  return st;
}

static bez_status run_block(void *ctx, uint64_t block, unsigned worker, bez_error *err) {
  const pass *p = ctx;
  const bez_update_rows *rows = p->rows;
  uint64_t tile = rows->n_tiles * block / p->n_blocks, end = rows->n_tiles * (block + 1) / p->n_blocks;
  for (uint32_t l = 0; l < rows->n_layers && tile < end; l++) {
    const bez_rows_layer *layer = &rows->layers[l];
    uint64_t tiles = (layer->len + rows->tile - 1) / rows->tile;
    for (; tile < end && tile < layer->first_tile + tiles; tile++) {
      bez_status st = run_tile(p, layer, (tile - layer->first_tile) * rows->tile, (uint32_t)block, worker, err);
      if (st != BEZ_OK) return st;
      if ((tile & 255) == 0 && !bez_watch_ask(rows->watch, worker)) return bez_watch_fail(err);
    }
  }
  return BEZ_OK;
}

static bez_status make_scratch(const bez_update_rows *rows, scratch *s, bez_error *err) {
  const size_t sources = (size_t)rows->n + rows->extra, mixed = bez_rows_count(rows);
  const size_t bytes = (sources + mixed + 1) * room_of(rows);
  s->bytes = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  s->row = calloc(mixed + 1, sizeof *s->row);
  s->source = calloc(sources + 1, sizeof *s->source);
  return s->bytes && s->row && s->source ? BEZ_OK : bez_fail_memory(err, bytes);
}

static bez_status run_pass(pass *p, bez_error *err) {
  bez_status st = BEZ_OK;
  const bez_update_rows *rows = p->rows;
  unsigned workers = rows->threads < p->n_blocks ? rows->threads : p->n_blocks;
  p->kernels = bez_weighted_choose(rows->cpu);
  p->scratch = calloc(workers, sizeof(scratch));
  if (!p->scratch) return bez_fail_memory(err, workers * sizeof(scratch));
  BEZ_TRY(scale_mix(p, err));
  for (unsigned w = 0; w < workers; w++) BEZ_TRY(make_scratch(rows, &p->scratch[w], err));
  st = bez_parallel_watched(p->n_blocks, workers, rows->watch, run_block, p, err);
cleanup:
  for (unsigned w = 0; w < workers; w++) {
    free(p->scratch[w].bytes);
    free(p->scratch[w].row);
    free(p->scratch[w].source);
  }
  free(p->scratch);
  free(p->weight);
  return st;
}

bez_status bez_rows_pass(const bez_update_rows *rows, uint32_t n_blocks, bez_tile_pass fn, void *ctx, bez_error *err) {
  pass p = {.rows = rows, .n_blocks = n_blocks, .fn = fn, .ctx = ctx};
  return run_pass(&p, err);
}

bez_status bez_rows_pass_finite(bez_update_rows *rows, bool all, uint32_t n_blocks, bez_tile_pass fn, void *ctx,
                                bez_error *err) {
  pass p = {.rows = rows, .n_blocks = n_blocks, .fn = fn, .ctx = ctx, .odd = &rows->odd};
  if (all && rows->doubted && !rows->mix) { /* what a mix leaves out, it does not see */
    if (!rows->suspect) rows->suspect = calloc((size_t)rows->n + rows->extra + 1, sizeof *rows->suspect);
    if (!rows->suspect) return bez_fail_memory(err, (size_t)rows->n + rows->extra);
    p.suspect = rows->suspect;
  }
  bez_status st = run_pass(&p, err);
  if (st != BEZ_OK || !p.suspect || !rows->odd) return st;
  rows->looked = true;
  return bez_fail(err, BEZ_CANCELLED, NULL, "a number is NaN or infinite");
}

/* Within the finite range of the layer's type, so that no result is infinite. */
static double within(double x, bez_dtype dtype) {
  double most = dtype == BEZ_DTYPE_F64    ? DBL_MAX
                : dtype == BEZ_DTYPE_F16  ? 65504
                : dtype == BEZ_DTYPE_BF16 ? 0x1.fep127
                                          : FLT_MAX;
  return x > most ? most : x < -most ? -most : x;
}

void bez_tile_store(const bez_tile *tile, const void *values) {
  const bez_rows_layer *layer = tile->layer;
  const bez_dtype dtype = layer->like->dtype;
  const bool dense = layer->reference && in_c_order(layer->reference);
  if (!layer->reference && dtype == BEZ_DTYPE_F32) {
    memcpy((float *)layer->out + tile->at, values, tile->len * sizeof(float));
    return;
  }
  for (size_t c = 0; c < tile->len; c++) {
    uint64_t at = tile->at + c;
    double x = tile->wide ? ((const double *)values)[c] : (double)((const float *)values)[c];
    if (layer->reference)
      x += bez_layer_item(layer->reference, dense ? (int64_t)at : bez_layer_place(layer->reference, at));
    x = within(x, dtype);
    switch (dtype) {
      case BEZ_DTYPE_F64: ((double *)layer->out)[at] = x; break;
      case BEZ_DTYPE_F16: ((uint16_t *)layer->out)[at] = bez_float_half((float)x); break;
      case BEZ_DTYPE_BF16: ((uint16_t *)layer->out)[at] = bez_float_bfloat((float)x); break;
      default: ((float *)layer->out)[at] = (float)x;
    }
  }
}

void bez_rows_difference(const bez_rows_layer *layer, void *out) {
  const bool wide = layer->like->dtype == BEZ_DTYPE_F64;
  bez_layer result = *layer->like;
  result.data = layer->out;
  result.strides = NULL;
  for (uint64_t at = 0; at < layer->len; at++) {
    double x = bez_layer_item(&result, (int64_t)at);
    if (layer->reference) x -= bez_layer_item(layer->reference, bez_layer_place(layer->reference, at));
    x = within(x, wide ? BEZ_DTYPE_F64 : BEZ_DTYPE_F32);
    if (wide)
      ((double *)out)[at] = x;
    else
      ((float *)out)[at] = (float)x;
  }
}
