import CKernels
import Models
import Testing

/// The bits of the arithmetic, pinned. They are the same on every machine and path; when a change moves them,
/// `CPUBackend.numericsVersion`, part of content keys, must move with them, or old results would be taken for new ones.
@Suite struct NumericsVersionTests {
  /// FNV-1a over bit patterns.
  static func fingerprint(_ values: [Float]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for value in values {
      for shift in stride(from: 0, to: 32, by: 8) {
        hash = (hash ^ UInt64(value.bitPattern >> UInt32(shift) & 0xff)) &* 0x100_0000_01b3
      }
    }
    return String(hash, radix: 16)
  }

  @Test func `element functions keep their bits`() {
    let points = (0..<20_000).map { Float($0 - 10_000) * 0.00873 }
    #expect(Self.fingerprint(points.map { pk_exp($0) }) == "833d0421149f31c2")
    #expect(Self.fingerprint(points.map { pk_log(abs($0) + 0.01) }) == "6b88c977573af6fc")
    #expect(Self.fingerprint(points.map { pk_tanh($0) }) == "e22896dc1db7da74")
    #expect(Self.fingerprint(points.map { pk_erf($0) }) == "8775115e6eb3048")
    for (activation, hash) in [
      (PK_SILU, "de08780770ad573"), (PK_GELU, "ad7173dd45c93b9"), (PK_GELU_TANH, "87caaa97a76f49fc"),
    ] {
      var found = points
      pk_activation_forward(1, activation, points, nil, &found, PK_F32, points.count)
      #expect(Self.fingerprint(found) == hash)
    }
    let backend = CPUBackend(threads: 1)
    let table = RotaryTable(base: 100_000, positions: 3000, dimension: 64, on: backend)
    #expect(Self.fingerprint(table.cosine.read() + table.sine.read()) == "8f8ea032bdb1d033")
    var grown = RotaryTable(base: 100_000, positions: 0, dimension: 64, on: backend)
    for positions in [1, 2, 40, 3000] {
      grown = RotaryTable(
        base: 100_000, positions: positions, dimension: 64, extending: grown, on: backend)
    }
    #expect(Self.fingerprint(grown.cosine.read() + grown.sine.read()) == "8f8ea032bdb1d033")
  }

  static let pinned: [(mode: NumericMode, logits: String, gradients: String?)] = [
    (.bf16, "24376c18f8080f63", "b3d2004e65cf68fa"), (.fp32, "826d20d37a21f85a", "2a3f6ca478ad7206"),
    (.int8, "60c2057b015ef7d0", nil),
  ]

  @Test(arguments: pinned, TestDevice.allCases)
  func `logits and gradients keep their bits`(
    pinned: (mode: NumericMode, logits: String, gradients: String?), device: TestDevice
  ) throws {
    let (mode, logits, gradients) = pinned
    let golden = try Golden("tied")
    let decoder = try Decoder(
      golden.checkpoint.configuration, from: golden.checkpoint.tensors, mode: mode,
      backend: device.backend(threads: 2))
    let found = try golden.sequences.flatMap { try forward(decoder, $0.tokens).flatMap { $0 } }
    #expect(Self.fingerprint(found) == logits)
    guard let gradients else { return }
    let trainer = try DecoderGoldenTests.trainer(
      golden, objective: DecoderGoldenTests.objective(golden, "policy_reference"), mode: mode,
      on: device)
    let sums = trainer.gradient(golden.examples).gradients
    #expect(Self.fingerprint(sums.names.flatMap { sums[$0].read() }) == gradients)
  }
}
