/* Flat arrays: storing as a number type, adding. */

static void PK_FN(store)(const float *x, void *out, pk_type type, size_t begin, size_t end) {
  if (type == PK_F32) {
    memcpy((float *)out + begin, x + begin, (end - begin) * sizeof(float));
    return;
  }
  uint16_t *o = out;
  size_t i = begin;
  for (; i + LANES <= end; i += LANES) *(u16x16 *)(o + i) = round16(load16(x + i));
  if (i < end) {
    u16x16 r = round16(load_tail(x + i, end - i, 0));
    memcpy(o + i, &r, (end - i) * sizeof(uint16_t));
  }
}

static void PK_FN(add)(float *x, const float *y, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i++) x[i] += y[i];
}
