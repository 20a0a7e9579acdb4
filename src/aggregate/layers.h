/* Layers by name, at a cost that grows with their number and not with its square. */
#ifndef BEZ_AGGREGATE_LAYERS_H
#define BEZ_AGGREGATE_LAYERS_H

#include "bezoar/aggregate.h"

/* found[l]: the update's layer with the name of the layout's layer l; NULL where there is none. */
BEZ_MUST_USE bez_status bez_layers_match(const bez_update *layout, const bez_update *update, const bez_layer **found,
                                         bez_error *err);

/* BEZ_USAGE naming a layer that is there twice. */
BEZ_MUST_USE bez_status bez_layers_distinct(const bez_update *update, bez_error *err);
/* The same, or naming one that the layout does not have. */
BEZ_MUST_USE bez_status bez_layers_known(const bez_update *layout, const bez_update *update, bez_error *err);

#endif
