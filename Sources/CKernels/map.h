/* Element functions over flat arrays. */

INLINE void PK_FN(mapped)(pk_function f, const float *x, float *out, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 v = load_lanes(x + i, count);
    store_lanes(out, i, PK_F32, count, f == PK_EXP ? exp16(v) : f == PK_TANH ? tanh16(v) : erf16(v));
  }
}

static void PK_FN(map)(pk_function f, const float *x, float *out, size_t begin, size_t end) {
  switch (f) {
  case PK_EXP: PK_FN(mapped)(PK_EXP, x, out, begin, end); break;
  case PK_TANH: PK_FN(mapped)(PK_TANH, x, out, begin, end); break;
  case PK_ERF: PK_FN(mapped)(PK_ERF, x, out, begin, end); break;
  }
}
