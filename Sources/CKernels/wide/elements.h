// Conversions, embedding lookup and the residual addition, 16 at a time.

void ROW(round)(const float *x, uint16_t *y, size_t count) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) lanes_store_rounded(y + i, lanes_load(x + i));
    if (i < count) lanes_store_rounded_part(y + i, count - i, lanes_load_part(x + i, count - i));
}

void ROW(widen)(const uint16_t *x, float *y, size_t count) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) lanes_store(y + i, lanes_widen(x + i));
    if (i < count) lanes_store_part(y + i, count - i, lanes_widen_part(x + i, count - i));
}

void ROW(embed)(const uint16_t *table, size_t width, const int32_t *tokens, size_t count, float *out) {
    for (size_t t = 0; t < count; t++) ROW(widen)(table + (size_t)tokens[t] * width, out + t * width, width);
}

void ROW(add)(float *x, const float *y, size_t count) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) lanes_store(x + i, lanes_add(lanes_load(x + i), lanes_load(y + i)));
    if (i < count) {
        lanes sum = lanes_add(lanes_load_part(x + i, count - i), lanes_load_part(y + i, count - i));
        lanes_store_part(x + i, count - i, sum);
    }
}
