/* Rotary positions: turning the pairs (i, i + D/2) of a head. */

/* out = x [D] turned by the angles of `position`, back where sign is -1. The two may be the same. */
static void PK_FN(rotate)(const pk_attention_rule *rule, size_t position, float sign, const float *x, float *out, size_t d) {
  size_t half = d / 2;
  const float *c = rule->cosine + position * half, *s = rule->sine + position * half;
  for (size_t i = 0; i < half; i++) {
    float sine = sign * s[i], a = x[i], b = x[i + half];
    out[i] = a * c[i] - b * sine;
    out[i + half] = b * c[i] + a * sine;
  }
}
