/* Functions of doubles with the same bits on every machine. */
#ifndef SCALAR_H
#define SCALAR_H

double log_double(double x);
double exp_double(double x);
void sine_cosine(double x, double *sine, double *cosine);

#endif
