/* The fits that several detectors use, each made when it is first asked for; models are a short list, one entry per
 * class. */
#include "detect/shared.h"

#include <stdlib.h>

#include "base/error.h"

typedef struct fitted {
  uint32_t label_code;
  bez_woe *woe;
  struct fitted *next;
} fitted;

struct bez_shared {
  fitted *models;
  bez_tracks *tracks;
  bez_picture_classes *classes;
  bez_picture_labels *labels;
  bez_space *space;
};

bez_shared *bez_shared_create(void) {
  return calloc(1, sizeof(bez_shared));
}

void bez_shared_destroy(bez_shared *shared) {
  if (!shared) return;
  while (shared->models) {
    fitted *next = shared->models->next;
    bez_woe_destroy(shared->models->woe);
    free(shared->models);
    shared->models = next;
  }
  bez_tracks_destroy(shared->tracks);
  bez_picture_classes_destroy(shared->classes);
  bez_picture_labels_destroy(shared->labels);
  bez_space_destroy(shared->space);
  free(shared);
}

bez_status bez_shared_woe(const bez_detect_input *in, uint32_t label_code, const bez_woe **out, bez_error *err) {
  for (const fitted *m = in->shared->models; m; m = m->next) {
    if (m->label_code != label_code) continue;
    *out = m->woe;
    return BEZ_OK;
  }
  fitted *m = calloc(1, sizeof *m);
  if (!m) return bez_fail_memory(err, sizeof *m);
  m->label_code = label_code;
  bez_status st =
      bez_woe_fit(in->table, in->features, in->n_features, in->label, label_code, in->seed, in->threads, &m->woe, err);
  if (st != BEZ_OK) {
    free(m);
    return st;
  }
  m->next = in->shared->models;
  in->shared->models = m;
  *out = m->woe;
  return BEZ_OK;
}

bez_status bez_shared_tracks(const bez_detect_input *in, const bez_tracks **out, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!in->shared->tracks) st = bez_tracks_fit(in->table->images, in->seed, in->threads, &in->shared->tracks, err);
  *out = in->shared->tracks;
  return st;
}

bez_status bez_shared_picture_classes(const bez_detect_input *in, const bez_picture_classes **out, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!in->shared->classes) st = bez_picture_classes_make(in, &in->shared->classes, err);
  *out = in->shared->classes;
  return st;
}

bez_status bez_shared_picture_labels(const bez_detect_input *in, const bez_picture_labels **out, bez_error *err) {
  const bez_picture_classes *classes;
  bez_status st = bez_shared_picture_classes(in, &classes, err);
  *out = NULL;
  if (st != BEZ_OK || classes->n < 2) return st;
  bez_watch watch = bez_detect_watch(in, "labels of pictures", "tiles");
  if (!in->shared->labels)
    st = bez_picture_labels_fit(in->table->images, classes->of_row, classes->n, in->threads, in->cpu, &watch,
                                &in->shared->labels, err);
  *out = in->shared->labels;
  return st;
}

bez_status bez_shared_space(const bez_detect_input *in, const bez_space **out, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!in->shared->space) st = bez_space_fit(in, &in->shared->space, err);
  *out = in->shared->space;
  return st;
}
