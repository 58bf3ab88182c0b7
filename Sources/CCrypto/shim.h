/* SHA-256 alone, by the functions that take no part in OpenSSL's providers: nothing is loaded or looked up when a program starts. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
