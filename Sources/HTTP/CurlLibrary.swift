// libcurl in this process, and what its results mean.

import CCurl
import System

enum CurlLibrary {
  /// Opens it the first time, in a few milliseconds.
  /// - Throws: `HTTPFailure` (`noLibrary`).
  static func open() throws {
    guard ccurl_open() != 0 else { return ignoreBrokenPipes() }
    let reason = shown(String(cString: ccurl_problem()))
    throw HTTPFailure(
      .noLibrary, "libcurl is not there (\(reason)); run `apt-get install libcurl4`, then try again")
  }

  /// Of a transfer that ended with an error.
  /// - Parameters:
  ///   - message: libcurl's own, which names hosts, ports and certificates.
  ///   - trusted: the variable that names the certificates that were trusted; nil for those of the system.
  static func failure(_ code: Int32, _ message: String, trusted: String?) -> HTTPFailure {
    let text = words(code, message)
    let result = ccurl_result(rawValue: UInt32(bitPattern: code))
    switch result {
    case CCURL_RESULT_BAD_URL: return HTTPFailure(.badAddress, text)
    case CCURL_RESULT_PROXY_NOT_FOUND, CCURL_RESULT_HOST_NOT_FOUND: return HTTPFailure(.notFound, text)
    case CCURL_RESULT_NOT_CONNECTED: return HTTPFailure(.refused, text)
    // The others are waited for here.
    case CCURL_RESULT_TIMED_OUT: return HTTPFailure(.connectTimeout, text)
    case CCURL_RESULT_PARTIAL, CCURL_RESULT_NOTHING_CAME, CCURL_RESULT_NOT_SENT, CCURL_RESULT_NOT_RECEIVED,
      CCURL_RESULT_HTTP2, CCURL_RESULT_HTTP2_STREAM:
      return HTTPFailure(.cut, text)
    case CCURL_RESULT_TLS_HANDSHAKE where isCut(message): return HTTPFailure(.cut, text)
    case CCURL_RESULT_TLS_PEER:
      let advice =
        trusted.map { "what is trusted is named by `\($0)`" }
        ?? "`SSL_CERT_FILE` names a file of certificates to trust"
      return HTTPFailure(.tls, "\(text); \(advice)")
    case CCURL_RESULT_TLS_HANDSHAKE, CCURL_RESULT_TLS_OWN_CERTIFICATE, CCURL_RESULT_TLS_CIPHER,
      CCURL_RESULT_TLS_CERTIFICATES, CCURL_RESULT_TLS_ISSUER, CCURL_RESULT_TLS_STATUS:
      return HTTPFailure(.tls, text)
    default: return HTTPFailure(.other, text)
    }
  }

  /// A handshake that did not fail but end, in the words of OpenSSL and GnuTLS.
  private static func isCut(_ message: String) -> Bool {
    ["SSL_ERROR_SYSCALL", "reset by peer", "non-properly terminated", "pull function", "unexpected eof"]
      .contains { message.contains($0) }
  }

  /// Its message, or the general one of the code where the message may hold an address with a password.
  private static func words(_ code: Int32, _ message: String) -> String {
    let isPlain = !message.isEmpty && !message.contains("@") && !message.contains("://")
    let text = shown(isPlain ? message : String(cString: ccurl_message(code)))
    guard let first = text.first, text.dropFirst().first?.isLowercase == true else { return text }
    return first.lowercased() + text.dropFirst()
  }

  /// In one line, without what a terminal might obey.
  private static func shown(_ text: String) -> String {
    let line = text.unicodeScalars.prefix(300).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
    return String(String.UnicodeScalarView(line))
  }
}
