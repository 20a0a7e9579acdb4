/* Taxonomies with the release their ids were taken from, and the titles of the ids that rules use. */
#include "report/taxonomy.h"

#include <stdbool.h>
#include <string.h>

const bez_taxonomy bez_taxonomies[] = {
    {"ATLAS", "MITRE ATLAS", "5.6.0", "The MITRE Corporation", "https://atlas.mitre.org/"},
    {"NIST", "NIST AI 100-2e2025", "2025", "National Institute of Standards and Technology",
     "https://doi.org/10.6028/NIST.AI.100-2e2025"},
    {"OWASP", "OWASP Top 10 for LLM Applications", "2025", "OWASP", "https://genai.owasp.org/llm-top-10/"},
    {"OWASP-ML", "OWASP Machine Learning Security Top 10", "0.3", "OWASP",
     "https://owasp.org/www-project-machine-learning-security-top-10/"},
    {"AISVS", "OWASP Artificial Intelligence Security Verification Standard", "1.0", "OWASP",
     "https://owasp.org/www-project-artificial-intelligence-security-verification-standard-aisvs-docs/"},
};
const size_t bez_taxonomy_count = sizeof bez_taxonomies / sizeof *bez_taxonomies;

static const struct {
  const char *id, *title;
} titles[] = {
    {"AML.T0020", "Poison Training Data"},    {"AML.T0043.004", "Insert Backdoor Trigger"},
    {"AML.T0018", "Manipulate AI Model"},     {"AML.T0019", "Publish Poisoned Datasets"},
    {"NISTAML.012", "Clean-label Poisoning"}, {"NISTAML.013", "Data Poisoning"},
    {"NISTAML.021", "Clean-label Backdoor"},  {"NISTAML.023", "Backdoor Poisoning"},
    {"NISTAML.024", "Targeted Poisoning"},    {"LLM04", "Data and Model Poisoning"},
    {"ML02", "Data Poisoning Attack"},
};

static const bez_taxonomy *by_prefix(const char *prefix, size_t len) {
  for (size_t i = 0; i < bez_taxonomy_count; i++)
    if (strlen(bez_taxonomies[i].prefix) == len && !memcmp(bez_taxonomies[i].prefix, prefix, len))
      return &bez_taxonomies[i];
  return NULL;
}

static const char *title_of(const char *id, size_t len) {
  for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
    if (strlen(titles[i].id) == len && !memcmp(titles[i].id, id, len)) return titles[i].title;
  return "";
}

bool bez_taxon_next(const char **at, bez_taxon *out) {
  *at += strspn(*at, " ");
  size_t len = strcspn(*at, " ");
  if (len == 0) return false;
  const char *colon = memchr(*at, ':', len);
  size_t prefix = colon ? (size_t)(colon - *at) : 0;
  *out = (bez_taxon){.taxonomy = colon ? by_prefix(*at, prefix) : NULL, .id = *at, .len = len};
  if (out->taxonomy) {
    out->id += prefix + 1;
    out->len -= prefix + 1;
  }
  out->title = title_of(out->id, out->len);
  *at += len;
  return true;
}
