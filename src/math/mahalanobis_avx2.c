#define DISTANCES bez_mahalanobis_avx2
#define PRODUCTS bez_products_avx2
#include "math/mahalanobis_body.h"
