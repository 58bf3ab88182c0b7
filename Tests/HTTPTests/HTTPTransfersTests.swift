import Testing

@Suite struct HTTPTransfersTests {}
