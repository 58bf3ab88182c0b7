/* The gate of a gated feed-forward network: silu(gate) * up. */

static void PK_FN(silu_gate)(const float *gate, const float *up, void *out, pk_type type, size_t begin,
                             size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 g = load_lanes(gate + i, count);
    f32x16 y = g / (splat(1) + exp16(-g)) * load_lanes(up + i, count);
    store_lanes(out, i, type, count, y);
  }
}

static void PK_FN(silu_gate_backward)(float *gate, float *up, const float *dout, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 g = load_lanes(gate + i, count), u = load_lanes(up + i, count), d = load_lanes(dout + i, count);
    f32x16 s = splat(1) / (splat(1) + exp16(-g));
    f32x16 slope = s * fma16(g, splat(1) - s, splat(1)); /* d silu / dg = s (1 + g (1 - s)) */
    store_lanes(gate, i, PK_F32, count, d * u * slope);
    store_lanes(up, i, PK_F32, count, d * (g * s));
  }
}
