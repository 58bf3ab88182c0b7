// Proxies and certificates as the environment names them: as curl reads it, and pip where curl reads nothing.

import Glibc
import System

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
  /// The variable that names them.
  let certificatesVariable: String?

  /// Of this process. libcurl reads `http_proxy`, and `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case; it leaves `HTTP_PROXY` alone, since in a
  /// CGI script it is a header of the request. The variables of certificates are read by curl the program, not by libcurl.
  init(_ variable: (String) -> String? = environmentValue) {
    let isScript = variable("REQUEST_METHOD") != nil
    httpProxy = variable("http_proxy") == nil && !isScript ? variable("HTTP_PROXY") : nil
    if let bundle = variable("CURL_CA_BUNDLE") {
      (certificatesFile, certificatesFolder, certificatesVariable) = (bundle, nil, "CURL_CA_BUNDLE")
    } else if let file = variable("SSL_CERT_FILE") {
      (certificatesFile, certificatesFolder) = (file, variable("SSL_CERT_DIR"))
      certificatesVariable = "SSL_CERT_FILE"
    } else if let folder = variable("SSL_CERT_DIR") {
      (certificatesFile, certificatesFolder, certificatesVariable) = (nil, folder, "SSL_CERT_DIR")
    } else if let bundle = variable("REQUESTS_CA_BUNDLE") {
      let isFolder = Self.isFolder(bundle)
      certificatesFile = isFolder ? nil : bundle
      certificatesFolder = isFolder ? bundle : nil
      certificatesVariable = "REQUESTS_CA_BUNDLE"
    } else {
      (certificatesFile, certificatesFolder, certificatesVariable) = (nil, nil, nil)
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
