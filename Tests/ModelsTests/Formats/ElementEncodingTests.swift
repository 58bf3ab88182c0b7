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

  /// fp32 bit patterns.
  private static func numbers(_ value: JSON?) throws -> [UInt32] {
    bytes(try #require(value?.stringValue)).withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
      }
    }
  }

  private static func blocks() throws -> JSON {
    try JSON(parsing: try readSmallFile("\(fixtureDirectory)/formats/blocks.json", limit: 1 << 20))
  }

  /// A NaN for any NaN: which one a product with infinity or NaN gives is the processor's choice.
  private static func bits(_ value: Float) -> UInt32 {
    value.isNaN ? Float.nan.bitPattern : value.bitPattern
  }

  @Test func `every encoding gives the bits of ggml's package`() throws {
    var seen: Set<String> = []
    for value in try #require(try Self.blocks()["decoded"]?.arrayValue) {
      let name = try #require(value["type"]?.stringValue)
      let encoding = try #require(elementEncoding(named: name))
      let stored = Self.bytes(try #require(value["bytes"]?.stringValue))
      let wanted = try Self.numbers(value["values"])
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

  @Test func `a half is the number that it says`() {
    let wrong = (UInt16.min...UInt16.max).filter { bits in
      let (half, found) = (Float16(bitPattern: bits), floatFromHalf(bits))
      // A NaN keeps its payload.
      return half.isNaN
        ? !found.isNaN || found.bitPattern & 0x7FE000 != UInt32(bits & 0x3FF) << 13
        : found.bitPattern != Float(half).bitPattern
    }
    #expect(wrong.isEmpty)
  }

  @Test func `numbers are quantised as ggml's package does`() throws {
    let encoded = try #require(try Self.blocks()["encoded"]?.arrayValue)
    for value in encoded {
      let name = try #require(value["type"]?.stringValue)
      let encoding = try #require(writableEncodings.first { $0.name == name })
      let numbers = try Self.numbers(value["values"])
      let (bytes, unencodable) = encoding.encode(numbers.map { Float(bitPattern: $0) })
      #expect(bytes == Self.bytes(try #require(value["bytes"]?.stringValue)), "\(name)")
      #expect(unencodable == nil)
    }
    #expect(encoded.count == writableEncodings.count)
  }

  @Test func `a number that an encoding does not hold is found`() throws {
    let numbers = [Float](repeating: 1, count: 96)
    func changed(_ value: Float) -> [Float] {
      var changed = numbers
      changed[40] = value
      return changed
    }
    #expect(F16.encode(changed(65_519.99)).unencodable == nil)
    #expect(F16.encode(changed(-65_520)).unencodable == 40)
    #expect(F16.encode(changed(.infinity)).unencodable == nil)
    #expect(BF16.encode(changed(.greatestFiniteMagnitude)).unencodable == 40)
    #expect(F32.encode(changed(.nan)).unencodable == nil)
    #expect(Q8_0.encode(changed(8e6)).unencodable == nil)
    // The scale is beyond the largest half, or no number: the whole block is lost.
    #expect(Q8_0.encode(changed(9e6)).unencodable != nil)
    #expect(Q8_0.encode(changed(.nan)).unencodable == 40)
    #expect(Q8_0.encode(changed(.infinity)).unencodable != nil)
  }
}
