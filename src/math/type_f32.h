/* What kernels over floats have in common, whatever the instruction set. Included once for each of them, so without a
 * guard; type_end.h, which their bodies end with, takes it back. */
#define REAL float
#define INT int32_t
#define NAME(x) f32_##x
#define LANES 16u /* sums and counts of a row kept side by side: the same for every instruction set */
#define MOST FLT_MAX
#define TOTAL bez_lanes_f32 /* the sum of LANES sums, of LANES counts (math/lanes.h) */
#define COUNT bez_lanes_i32
#define PAIR bez_distance_pair_f32 /* the careful squared distance of two rows (math/distance.h) */
#define SQUARE_LOW 1e-25           /* the range in which a tile's squared distance is as precise as it should be */
#define SQUARE_HIGH 1e30
