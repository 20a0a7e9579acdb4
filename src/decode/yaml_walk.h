/* YAML of hostile files, scalar by scalar, over libyaml's events: anchors, aliases and tags included, several documents
 * behind each other. */
#ifndef BEZ_DECODE_YAML_WALK_H
#define BEZ_DECODE_YAML_WALK_H

#include "bezoar/base.h"

#define BEZ_YAML_DEPTH 64u

typedef struct bez_yaml_event {
  const char *key;  /* that the value stands under; in a list, the list's; "" none */
  unsigned depth;   /* of collections around it */
  const char *text; /* of a scalar; NULL: a collection begins */
  const char *tag;  /* as resolved ("tag:yaml.org,2002:python/tuple"); NULL: none */
  size_t at;        /* byte */
} bez_yaml_event;

/* NULL: read to the end; else why not, and *where. */
const char *bez_yaml_walk(const char *bytes, size_t len, void (*on_value)(void *ctx, const bez_yaml_event *e),
                          void *ctx, size_t *where);

#endif
