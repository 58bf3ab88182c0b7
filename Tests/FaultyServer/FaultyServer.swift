// A server on loopback.
