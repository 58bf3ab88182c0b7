// One request over HTTP, as data.

package struct HTTPRequest: Sendable {
  package var method: String
  /// `http` or `https`.
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: Body?
  package var patience: Patience
  /// Bytes of a response's body, decompressed; more is `HTTPFailure.tooLarge`.
  package var largestBody: Int
  /// How often it may be sent on; credentials do not go along to another host.
  package var redirects: Int

  package enum Body: Sendable {
    case bytes([UInt8])
    /// The file at a path, sent as it is read.
    case file(String)
  }

  /// In seconds.
  package struct Patience: Sendable, Equatable {
    package var connect: Double
    /// Until the first byte of the response, from when the request begins.
    package var firstByte: Double
    package var whole: Double
    package init(connect: Double = 10, firstByte: Double = 300, whole: Double = 600) {
      (self.connect, self.firstByte, self.whole) = (connect, firstByte, whole)
    }
  }

  package init(
    _ method: String = "GET", _ url: String, headers: [(name: String, value: String)] = [], body: Body? = nil,
    patience: Patience = Patience(), largestBody: Int = 64 << 20, redirects: Int = 0
  ) {
    (self.method, self.url, self.headers, self.body) = (method, url, headers, body)
    (self.patience, self.largestBody, self.redirects) = (patience, largestBody, redirects)
  }
}

package struct HTTPResponse: Sendable {
  package let status: Int
  /// In the order in which they came; those of the last response where the request was sent on.
  package let headers: [(name: String, value: String)]
  /// Decompressed. Where compressed data end early inside a complete response it is what they expand to: the library does not say so.
  package let body: [UInt8]
  /// Of the request that it answers: another than was asked for where that was sent on. May hold a password.
  package let address: String

  package init(status: Int, headers: [(name: String, value: String)], body: [UInt8], address: String = "") {
    (self.status, self.headers, self.body, self.address) = (status, headers, body, address)
  }

  /// The first header of that name, whose case does not matter.
  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// Why there is no response.
package struct HTTPFailure: Error, CustomStringConvertible, Sendable {
  package enum Kind: Sendable, Equatable {
    /// libcurl is not installed.
    case noLibrary
    case badAddress
    case notFound
    case refused
    case connectTimeout, firstByteTimeout, wholeTimeout
    /// The certificate or the handshake.
    case tls
    case tooLarge
    /// The connection ended before the response did.
    case cut
    case tooManyRedirects
    case other
  }
  package let kind: Kind
  /// A clause for a person; holds no header and no credential.
  package let description: String

  package init(_ kind: Kind, _ description: String) {
    (self.kind, self.description) = (kind, description)
  }

  /// Whether the same request may succeed later.
  package var isTransient: Bool {
    switch kind {
    case .refused, .connectTimeout, .firstByteTimeout, .wholeTimeout, .cut, .notFound, .other: true
    case .noLibrary, .badAddress, .tls, .tooLarge, .tooManyRedirects: false
    }
  }
}
