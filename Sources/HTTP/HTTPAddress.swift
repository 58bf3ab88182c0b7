// An address of http or https, read by libcurl, so that what is decided by its host is decided by the host that is spoken to.

import CCurl

struct HTTPAddress {
  /// With all that it holds, credentials included.
  let text: String
  /// Without user, password, query and fragment: what a person may see.
  let shown: String
  /// Scheme, host and port.
  let origin: String
  let isEncrypted: Bool

  /// Nil of what is no such address.
  /// - Parameter base: what it may be relative to.
  init?(_ text: String, relativeTo base: HTTPAddress? = nil) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), let url = ccurl_url_new() else { return nil }
    defer { ccurl_url_free(url) }
    if let base, ccurl_url_set(url, CCURL_URL_WHOLE, base.text) != 0 { return nil }
    guard ccurl_url_set(url, CCURL_URL_WHOLE, text) == 0 else { return nil }
    func part(_ part: ccurl_url_part) -> String? {
      guard let text = ccurl_url_get(url, part) else { return nil }
      defer { ccurl_text_free(text) }
      return String(cString: text)
    }
    guard let scheme = part(CCURL_URL_SCHEME)?.lowercased(), ["http", "https"].contains(scheme),
      let host = part(CCURL_URL_HOST)?.lowercased(), !host.isEmpty, let port = part(CCURL_URL_PORT),
      let whole = part(CCURL_URL_WHOLE)
    else { return nil }
    self.text = whole
    origin = "\(scheme)://\(host):\(port)"
    isEncrypted = scheme == "https"
    for part in [CCURL_URL_USER, CCURL_URL_PASSWORD, CCURL_URL_QUERY, CCURL_URL_FRAGMENT] {
      _ = ccurl_url_set(url, part, nil)
    }
    shown = part(CCURL_URL_WHOLE) ?? origin
  }
}
