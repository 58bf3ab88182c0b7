/* Scalar functions with the same bits on every machine. */
#ifndef SCALAR_H
#define SCALAR_H

/* normal_tail16 of one number (elements.h). */
void normal_tail(float t, float *exponential, float *mills);

double log_double(double x);
double exp_double(double x);
void sine_cosine(double x, double *sine, double *cosine);

#endif
