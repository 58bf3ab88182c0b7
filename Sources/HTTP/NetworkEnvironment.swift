// Proxies and certificates as the environment names them: as curl reads it, and pip where curl reads nothing.

import Glibc

package struct NetworkEnvironment {
  /// What a process that asks a server has to be given.
  package static let variables = [
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
  ]

  /// Nil where libcurl finds it itself, or there is none.
  let httpProxy: String?
  let certificatesFile: String?
  let certificatesFolder: String?

  /// Of this process. libcurl reads `http_proxy`, and `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case; it leaves `HTTP_PROXY` alone, since in a
  /// CGI script it is a header of the request. The variables of certificates are read by curl the program, not by libcurl.
  init(_ variable: (String) -> String? = NetworkEnvironment.own) {
    let isScript = variable("REQUEST_METHOD") != nil
    httpProxy = variable("http_proxy") == nil && !isScript ? variable("HTTP_PROXY") : nil
    var (file, folder) = (variable("CURL_CA_BUNDLE"), String?.none)
    if file == nil { (file, folder) = (variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR")) }
    if file == nil, folder == nil, let bundle = variable("REQUESTS_CA_BUNDLE") {
      if Self.isFolder(bundle) { folder = bundle } else { file = bundle }
    }
    (certificatesFile, certificatesFolder) = (file, folder)
  }

  private static func own(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
