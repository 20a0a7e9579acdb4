#define DISTANCES bez_mahalanobis_avx512
#define PRODUCTS bez_products_avx512
#include "math/mahalanobis_body.h"
