/* Tracks: groups of near-duplicate pictures (frames of one film, crops of one photograph). Evidence counts them once,
 * because what one object shows, all its pictures show.
 *
 * A picture becomes the grey means of at most 8 × 8 blocks, less their mean, of unit length. Its five nearest others
 * by cosine are joined with it where the cosine is above .98; tracks are the connected components. Pictures without
 * contrast are one track. */
#ifndef BEZ_FIT_TRACKS_H
#define BEZ_FIT_TRACKS_H

#include "format/images.h"

/* Up to this many pictures all pairs are compared; above, those that meet in a leaf of random projection trees. */
#define BEZ_TRACKS_EXACT 16384u

typedef struct bez_tracks {
  uint32_t n_rows, n_groups;
  uint32_t *group;         /* per row; groups are numbered by their first row */
  uint32_t *size;          /* per group */
  uint32_t side_y, side_x; /* blocks; dim = side_y · side_x ≤ 64 */
  uint32_t dim;
  int16_t *thumb; /* n_rows × 64: the unit vector times BEZ_TRACKS_UNIT, zeros behind dim; all zero: no contrast */
} bez_tracks;

#define BEZ_TRACKS_DIM 64u
#define BEZ_TRACKS_UNIT 4096

/* The cosine of two pictures' thumbs. */
double bez_tracks_cosine(const bez_tracks *tracks, uint32_t a, uint32_t b);

/* O(n² · 64) up to BEZ_TRACKS_EXACT rows, O(n log n · 64) above; 128 + 64 bytes per row. BEZ_LIMIT beyond UINT32_MAX
 * rows. The same for any number of threads. */
BEZ_MUST_USE bez_status bez_tracks_fit(const bez_images *images, uint64_t seed, unsigned threads, bez_tracks **out,
                                       bez_error *err);
/* Puts rows of one track side by side: by track, then by row. n rows, borrowed and written in place; BEZ_NO_MEMORY. */
BEZ_MUST_USE bez_status bez_tracks_sort_rows(const bez_tracks *tracks, uint32_t *rows, uint32_t n, bez_error *err);
void bez_tracks_destroy(bez_tracks *tracks); /* NULL is fine */

#endif
