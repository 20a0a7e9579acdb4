/* The table of forms, expanded from forms.def. */
#include <string.h>

#include "base/error.h"
#include "content/form.h"

const bez_form *const bez_forms[] = {
#define BEZ_FORM(symbol) &symbol,
#include "content/forms.def"
#undef BEZ_FORM
    NULL};

const bez_form *bez_form_named(const char *name) {
  for (size_t i = 0; bez_forms[i]; i++)
    if (!strcmp(bez_forms[i]->name, name)) return bez_forms[i];
  return NULL;
}

bez_status bez_form_open_json(const char *json, size_t len, bez_form_use *out, bez_error *err) {
  json_t *params = NULL;
  *out = (bez_form_use){0};
  bez_status st = bez_json_parse(json, len, "form", &params, err);
  if (st != BEZ_OK) return st;
  const char *name = json_string_value(json_object_get(params, "form"));
  const bez_form *form = name ? bez_form_named(name) : NULL;
  if (!form || !form->open_json)
    st = bez_fail(err, BEZ_FORMAT, "form", "a file has the form \"%.40s\", which is not known here", name ? name : "");
  if (st == BEZ_OK) st = form->open_json(params, &out->state, err);
  if (st == BEZ_OK) out->form = form;
  json_decref(params);
  return st;
}

void bez_form_close(bez_form_use *use) {
  if (use->form && use->form->close) use->form->close(use->state);
  *use = (bez_form_use){0};
}
