// An address of http or https, read by libcurl, so that what is decided by its host is decided by the host that is spoken to.

import CCurl

package struct HTTPAddress {
  /// With all that it holds, a password included.
  package let text: String
  /// Without user, password, query and fragment: what a person may see.
  package let shown: String
  /// Scheme, host and port.
  let origin: String
  let isEncrypted: Bool

  /// Nil of what is no such address. One of the same origin as the base has the base's password, unless it has one of its own.
  /// - Parameter base: what it may be relative to.
  /// - Throws: `HTTPFailure` (`noLibrary`).
  package init?(_ text: String, relativeTo base: HTTPAddress? = nil) throws {
    try CurlLibrary.open()
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let url = ccurl_url_new() else { return nil }
    defer { ccurl_url_free(url) }
    if let base, ccurl_url_set(url, CCURL_URL_WHOLE, base.text) != 0 { return nil }
    let user = Self.part(CCURL_URL_USER, of: url)
    let password = Self.part(CCURL_URL_PASSWORD, of: url)
    guard ccurl_url_set(url, CCURL_URL_WHOLE, text) == 0 else { return nil }
    guard let scheme = Self.part(CCURL_URL_SCHEME, of: url)?.lowercased(),
      ["http", "https"].contains(scheme),
      let host = Self.part(CCURL_URL_HOST, of: url)?.lowercased(), !host.isEmpty,
      let port = Self.part(CCURL_URL_PORT, of: url)
    else { return nil }
    origin = "\(scheme)://\(host):\(port)"
    isEncrypted = scheme == "https"
    if origin == base?.origin, Self.part(CCURL_URL_USER, of: url) == nil {
      if let user { _ = ccurl_url_set(url, CCURL_URL_USER, user) }
      if let password { _ = ccurl_url_set(url, CCURL_URL_PASSWORD, password) }
    }
    guard let whole = Self.part(CCURL_URL_WHOLE, of: url) else { return nil }
    self.text = whole
    for part in [CCURL_URL_USER, CCURL_URL_PASSWORD, CCURL_URL_QUERY, CCURL_URL_FRAGMENT] {
      _ = ccurl_url_set(url, part, nil)
    }
    shown = Self.part(CCURL_URL_WHOLE, of: url) ?? origin
  }

  private static func part(_ part: ccurl_url_part, of url: OpaquePointer) -> String? {
    guard let text = ccurl_url_get(url, part) else { return nil }
    defer { ccurl_text_free(text) }
    return String(cString: text)
  }
}
