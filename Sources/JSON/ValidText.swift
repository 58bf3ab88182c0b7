// Text from bytes that may be none.

extension String {
  /// Nil where the bytes are no UTF-8. What `String(validating:as:)` gives, which looks for its encoding's metadata each time.
  package init?(validatingUTF8 bytes: UnsafeRawBufferPointer) {
    guard let span = try? UTF8Span(validating: bytes.assumingMemoryBound(to: UInt8.self).span) else {
      return nil
    }
    self.init(copying: span)
  }
}
