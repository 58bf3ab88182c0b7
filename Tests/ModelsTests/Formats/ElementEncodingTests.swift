// Encodings of numbers: decoded as ggml's own Python package does, and halves against the compiler's.

import JSON
import Models
import Testing

@Suite struct ElementEncodingTests {
  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    let text = Array(hexadecimal.utf8)
    return stride(from: 0, to: text.count, by: 2).map { index in
      UInt8(String(decoding: text[index..<(index + 2)], as: UTF8.self), radix: 16) ?? 0
    }
  }

  /// A NaN for any NaN: which one a product with infinity or NaN gives is the processor's choice.
  private static func bits(_ value: Float) -> UInt32 {
    value.isNaN ? Float.nan.bitPattern : value.bitPattern
  }

  @Test func `every encoding gives the bits of ggml's package`() throws {
    let cases = try JSON(
      parsing: try readSmallFile("\(fixtureDirectory)/formats/blocks.json", limit: 1 << 20))
    var seen: Set<String> = []
    for value in try #require(cases.arrayValue) {
      let name = try #require(value["type"]?.stringValue)
      let encoding = try #require(elementEncoding(named: name))
      let stored = Self.bytes(try #require(value["bytes"]?.stringValue))
      let wanted = Self.bytes(try #require(value["values"]?.stringValue)).withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map {
          UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
        }
      }
      // At an odd address too: data of safetensors may lie anywhere.
      for padding in 0...1 {
        let moved = [UInt8](repeating: 0xFF, count: padding) + stored
        let found = [Float](unsafeUninitializedCapacity: wanted.count) { buffer, count in
          moved.withUnsafeBytes {
            encoding.decode(
              UnsafeRawBufferPointer(rebasing: $0[padding...]),
              into: UnsafeMutableBufferPointer(rebasing: buffer[0..<wanted.count]))
          }
          count = wanted.count
        }
        let bits = encoding.blockLength == 1 ? found.map(\.bitPattern) : found.map(Self.bits)
        let expected = encoding.blockLength == 1 ? wanted : wanted.map { Self.bits(Float(bitPattern: $0)) }
        #expect(bits == expected, "\(name)")
      }
      seen.insert(name)
    }
    #expect(seen.isSuperset(of: elementEncodings.filter { $0.blockLength > 1 }.map { $0.name }))
    #expect(seen.isSuperset(of: ["F32", "F16", "BF16"]))
  }

  @Test func `a half is the number that it says, and comes back from it`() {
    for bits in UInt16.min...UInt16.max {
      let half = Float16(bitPattern: bits)
      guard !half.isNaN else {
        #expect(floatFromHalf(bits).isNaN && floatFromHalf(halfBits(floatFromHalf(bits))).isNaN)
        #expect(floatFromHalf(bits).bitPattern & 0x7FE000 == UInt32(bits & 0x3FF) << 13, "the payload")
        continue
      }
      #expect(floatFromHalf(bits).bitPattern == Float(half).bitPattern)
      #expect(halfBits(floatFromHalf(bits)) == bits)
    }
  }

  @Test func `a number becomes the nearest half, ties to even`() {
    var random = TestRandom(state: 3)
    for round in 0..<200_000 {
      var value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      if round % 2 == 0 {
        // About a tie: halfway between two halves, or one step beside.
        let half = floatFromHalf(UInt16(random.below(0x7C00)))
        let next = half.nextUp.magnitude < 0x1p-14 ? half + 0x1p-24 : half + half.ulp * 8192
        value = (half + next) / 2
        if round % 3 == 0 { value = value.nextUp } else if round % 3 == 1 { value = value.nextDown }
      }
      guard !value.isNaN else { continue }
      #expect(halfBits(value) == Float16(value).bitPattern, "\(value)")
    }
  }
}
