// exp, log and log1p over arrays.

#define ARRAY_FUNCTION(name, function)                                                          \
    void ROW(name)(const float *x, float *y, size_t count) {                                    \
        size_t i = 0;                                                                           \
        for (; i + 16 <= count; i += 16) lanes_store(y + i, function(lanes_load(x + i)));       \
        if (i < count) {                                                                        \
            lanes_store_part(y + i, count - i, function(lanes_load_part(x + i, count - i)));    \
        }                                                                                       \
    }

ARRAY_FUNCTION(exp, lanes_exp)
ARRAY_FUNCTION(log, lanes_log)
ARRAY_FUNCTION(log1p, lanes_log1p)

#undef ARRAY_FUNCTION
