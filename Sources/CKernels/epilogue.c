/* What follows a product: bias, activation and gate, over a part of it whose sums are complete. */
#include "kernels.h"

void finish_product(const kernel_table *kernels, const pk_epilogue *epilogue, float *c, size_t c_stride, product_part part) {
  if (!epilogue) return;
  for (size_t row = part.row; row < part.end_row; row++) {
    float *sums = c + row * c_stride;
    if (epilogue->bias) kernels->add(sums, epilogue->bias, part.column, part.end_column);
    if (epilogue->out)
      kernels->activation(epilogue->f, sums, epilogue->up ? epilogue->up + row * c_stride : NULL,
                          (char *)epilogue->out + row * c_stride * type_bytes(epilogue->type), epilogue->type, part.column,
                          part.end_column);
  }
}
