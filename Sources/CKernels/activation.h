/* Activations of a feed-forward network: f(gate) * up, or f(gate) alone, and their gradients. f is a constant in all of these. */

/* gelu where e * m is the normal distribution's tail beyond t = |x|: for x < 0 the small difference itself, not what is left of 1.
   t e is flushed only where the result is: at the least x e is 1, and far out t is above 1. */
#define gelu16(x, t, e, m) fma16(-(t) * (e), m, choose16((x) < splat(0), splat(0), x))

/* The others are x / (1 + exp(-v)), with v = x (silu) or v = 2 sqrt(2 / pi) (x + 0.044715 x^3) (gelu by tanh); and dv / dx. */
#define logit16(f, x) ((f) == PK_SILU ? (x) : (x) * fma16(splat(0.0713548163f), (x) * (x), splat(1.59576912f)))
#define logit_slope16(f, x) ((f) == PK_SILU ? splat(1) : fma16(splat(0.214064449f), (x) * (x), splat(1.59576912f)))

INLINE void PK_FN(activated)(pk_activation f, const float *gate, const float *up, void *out, pk_type type, size_t begin,
                             size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 g = load_lanes(gate + i, count), y;
    if (f == PK_GELU) {
      f32x16 e, m, t = at_most16(magnitude16(g), 16);
      normal_tail16(t, e, m);
      y = gelu16(g, t, e, m);
    } else {
      y = g / (splat(1) + exp16(-logit16(f, g)));
    }
    if (up) y = y * load_lanes(up + i, count);
    store_lanes(out, i, type, count, y);
  }
}

static void PK_FN(activation)(pk_activation f, const float *gate, const float *up, void *out, pk_type type, size_t begin,
                              size_t end) {
  switch (f) {
  case PK_SILU: PK_FN(activated)(PK_SILU, gate, up, out, type, begin, end); break;
  case PK_GELU: PK_FN(activated)(PK_GELU, gate, up, out, type, begin, end); break;
  case PK_GELU_TANH: PK_FN(activated)(PK_GELU_TANH, gate, up, out, type, begin, end); break;
  }
}

INLINE void PK_FN(activation_gradients)(pk_activation f, float *gate, float *up, const float *dout, size_t begin, size_t end) {
  for (size_t i = begin; i < end; i += LANES) {
    size_t count = end - i < LANES ? end - i : LANES;
    f32x16 g = load_lanes(gate + i, count), d = load_lanes(dout + i, count), value, slope;
    f32x16 u = up ? load_lanes(up + i, count) : splat(1);
    if (f == PK_GELU) {
      f32x16 e, m, t = at_most16(magnitude16(g), 16);
      normal_tail16(t, e, m);
      value = gelu16(g, t, e, m);
      f32x16 tail = e * m, share = choose16(g < splat(0), tail, splat(1) - tail);
      slope = fma16(signed16(t, g) * splat(0.398942280f), e, share); /* Phi + x phi */
    } else {
      f32x16 s = splat(1) / (splat(1) + exp16(-logit16(f, g)));
      value = g * s;
      slope = s * fma16(g * logit_slope16(f, g), splat(1) - s, splat(1)); /* s (1 + x v' (1 - s)) */
    }
    store_lanes(gate, i, PK_F32, count, d * u * slope);
    if (up) store_lanes(up, i, PK_F32, count, d * value);
  }
}

static void PK_FN(activation_backward)(pk_activation f, float *gate, float *up, const float *dout, size_t begin, size_t end) {
  switch (f) {
  case PK_SILU: PK_FN(activation_gradients)(PK_SILU, gate, up, dout, begin, end); break;
  case PK_GELU: PK_FN(activation_gradients)(PK_GELU, gate, up, dout, begin, end); break;
  case PK_GELU_TANH: PK_FN(activation_gradients)(PK_GELU_TANH, gate, up, dout, begin, end); break;
  }
}
