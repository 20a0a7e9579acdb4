/* Takes back what type_f32.h and type_f64.h define. */
#undef REAL
#undef INT
#undef NAME
#undef LANES
#undef MOST
#undef TOTAL
#undef COUNT
#undef PAIR
#undef SQUARE_LOW
#undef SQUARE_HIGH
