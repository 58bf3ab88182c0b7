import Testing

@Suite struct AskerTests {}
