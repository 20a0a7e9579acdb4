/* Members of an .npz archive, between what unpacks them (npz.c) and what takes them as pictures (npz_images.c). */
#ifndef BEZ_FORMAT_NPZ_H
#define BEZ_FORMAT_NPZ_H

#include "format/array.h"

/* One unpacked member. */
typedef struct bez_npz_member {
  const char *name; /* without ".npy" */
  bez_array array;  /* bytes lie in the store */
  bez_store store;
} bez_npz_member;

/* The member that holds the labels of member `picture`: as many rows, one item each; the best name (y_train beside
 * x_train, labels beside images), else the next in order. -1: none. */
int bez_npz_labels(const bez_npz_member *members, uint32_t n, uint32_t picture);

/* Members of three and four dimensions are pictures, appended in the archive's order with the labels of each; the
 * others are remarked as left out. Frees the members' stores as it goes. */
BEZ_MUST_USE bez_status bez_npz_images(const bez_source *source, bez_npz_member *members, uint32_t n,
                                       bez_builder *builder, bez_error *err);

#endif
