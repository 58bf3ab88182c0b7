/* Rotary positions: turning the pairs of a head. */

/* out = x [D] turned by the angles of `position`, back where sign is -1. The two may be the same. */
static void PK_FN(rotate)(const pk_attention_rule *rule, size_t position, float sign, const float *x, float *out, size_t d) {
  size_t turned = turned_length(rule, d), half = turned / 2;
  const float *c = rule->cosine + position * half, *s = rule->sine + position * half;
  if (rule->interleaved) {
    for (size_t i = 0; i < half; i++) {
      float sine = sign * s[i], a = x[2 * i], b = x[2 * i + 1];
      out[2 * i] = a * c[i] - b * sine;
      out[2 * i + 1] = b * c[i] + a * sine;
    }
  } else {
    for (size_t i = 0; i < half; i++) {
      float sine = sign * s[i], a = x[i], b = x[i + half];
      out[i] = a * c[i] - b * sine;
      out[i + half] = b * c[i] + a * sine;
    }
  }
  if (turned < d && out != x) memcpy(out + turned, x + turned, (d - turned) * sizeof(float));
}
