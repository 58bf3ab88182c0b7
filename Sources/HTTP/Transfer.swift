// One request under way: what libcurl is told of it, and what it gives of the response.

import CCurl
import Glibc
import System

/// Holds its own address in libcurl's handle, so it stays where it is.
final class Transfer {
  /// Where a body goes.
  enum Sink {
    /// Into the response.
    case response
    /// To a function, where the status is 200, or 206 behind an offset; a response of another status ends with its head.
    case stream(from: Int, take: (UnsafeRawBufferPointer) throws -> Void)
  }

  /// Why we ended it ourselves.
  private enum End {
    case failure(HTTPFailure)
    case thrown(any Error)
    /// Its body is not wanted.
    case headIsAll
  }

  /// What becomes of one that libcurl is done with.
  enum Outcome {
    case ended(Result<HTTPResponse, HTTPFailure>)
    case threw(any Error)
    /// It is to be begun once more, at another address.
    case sentOn
  }

  let tag: Int
  let easy: OpaquePointer
  private var request: HTTPRequest
  private let sink: Sink
  /// Bytes a second, and for how many seconds.
  private let slowest: (bytes: Int, seconds: Int)?
  private let environment: NetworkEnvironment
  /// In seconds of the clock that never jumps.
  private let began = monotonicSeconds()

  private var address: HTTPAddress?
  private var redirectsLeft: Int
  private var lines: OpaquePointer?
  private var file: File?
  /// SAFETY: libcurl writes the texts of errors here while the handle has it; freed with this object.
  private let message = UnsafeMutablePointer<CChar>.allocate(capacity: ccurl_error_size)

  private var status = 0
  private var headers: [(name: String, value: String)] = []
  private var headerBytes = 0
  private var body: [UInt8] = []
  private var bodyBytes = 0
  private var hasBegun = false
  private var isHeadWhole = false
  private var isSentOn = false
  private var end: End?

  /// Of all heads of one response, interim ones included.
  private static let mostHeaderBytes = 1 << 20

  init(
    _ request: HTTPRequest, tag: Int, easy: OpaquePointer, environment: NetworkEnvironment,
    sink: Sink = .response, slowest: (bytes: Int, seconds: Int)? = nil
  ) {
    (self.request, self.tag, self.easy, self.sink) = (request, tag, easy, sink)
    (self.environment, self.slowest) = (environment, slowest)
    redirectsLeft = request.redirects
    message[0] = 0
  }

  deinit {
    ccurl_list_free(lines)
    file?.closeQuietly()
    message.deallocate()
  }

  // MARK: Limits of time

  /// When it is ended if nothing happens.
  var deadline: Double {
    let whole = began + request.patience.whole
    return hasBegun ? whole : min(whole, began + request.patience.firstByte)
  }

  /// Of one whose deadline has passed.
  var lateness: HTTPFailure {
    let patience = request.patience
    if hasBegun || patience.whole <= patience.firstByte {
      return HTTPFailure(.wholeTimeout, "the response was not complete within \(seconds(patience.whole))")
    }
    return HTTPFailure(
      .firstByteTimeout, "no byte of a response came within \(seconds(patience.firstByte))")
  }

  private func seconds(_ count: Double) -> String {
    count >= 10 && count < 1e9 ? "\(Int(count)) s" : "\(Int((max(0, min(count, 1e9)) * 1000).rounded())) ms"
  }

  // MARK: The request

  /// Tells the handle all of it.
  func prepare() -> HTTPFailure? {
    ccurl_easy_reset(easy)
    (status, headers, headerBytes) = (0, [], 0)
    (body, bodyBytes, isHeadWhole, isSentOn) = ([], 0, false, false)
    message[0] = 0
    if address == nil {
      guard let address = try? HTTPAddress(request.url) else {
        return HTTPFailure(.badAddress, "the address is none of http or https with a host in it")
      }
      self.address = address
    }
    if let failure = prepareHeaders() ?? prepareBody() { return failure }
    setText(CCURL_OPTION_URL, address?.text ?? "")
    setNumber(CCURL_OPTION_PROTOCOLS, ccurl_protocol_http | ccurl_protocol_https)
    // Never ones of SIGALRM, which has one handler for the whole process.
    setNumber(CCURL_OPTION_NO_SIGNAL, 1)
    setNumber(CCURL_OPTION_KEEP_ALIVE, 1)
    // A name that is still looked up holds up nothing when its request has ended; older ones lack it.
    setNumber(CCURL_OPTION_QUICK_EXIT, 1)
    setNumber(CCURL_OPTION_HIDE_PROXY_HEADERS, 1)
    let connect = max(1, min(request.patience.connect * 1000, Double(Int32.max)))
    setNumber(CCURL_OPTION_CONNECT_MILLISECONDS, connect.isNaN ? Int(Int32.max) : Int(connect))
    setText(CCURL_OPTION_USER_AGENT, "plumb")
    // All that the library can expand; what is streamed is taken as it lies there.
    if case .response = sink { setText(CCURL_OPTION_ACCEPT_ENCODING, "") }
    if let slowest {
      setNumber(CCURL_OPTION_LOW_SPEED_LIMIT, slowest.bytes)
      setNumber(CCURL_OPTION_LOW_SPEED_TIME, slowest.seconds)
    }
    if let proxy = environment.httpProxy, address?.isEncrypted == false { setText(CCURL_OPTION_PROXY, proxy) }
    if let path = environment.certificatesFile {
      setText(CCURL_OPTION_CERTIFICATES_FILE, path)
      setText(CCURL_OPTION_PROXY_CERTIFICATES_FILE, path)
    }
    if let path = environment.certificatesFolder {
      setText(CCURL_OPTION_CERTIFICATES_FOLDER, path)
      setText(CCURL_OPTION_PROXY_CERTIFICATES_FOLDER, path)
    }
    let own = Unmanaged.passUnretained(self).toOpaque()
    ccurl_set_pointer(easy, CCURL_OPTION_ERROR_BUFFER, message)
    ccurl_set_pointer(easy, CCURL_OPTION_HEADER_DATA, own)
    ccurl_set_pointer(easy, CCURL_OPTION_WRITE_DATA, own)
    ccurl_set_data_function(easy, CCURL_OPTION_HEADER_FUNCTION) { bytes, size, count, data in
      Transfer.of(data)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size &* count)) ?? 0
    }
    ccurl_set_data_function(easy, CCURL_OPTION_WRITE_FUNCTION) { bytes, size, count, data in
      Transfer.of(data)?.takeBody(UnsafeRawBufferPointer(start: bytes, count: size &* count)) ?? 0
    }
    return nil
  }

  /// SAFETY: libcurl calls while the handle is in use, which its owner holds this object for.
  private static func of(_ data: UnsafeMutableRawPointer?) -> Transfer? {
    data.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
  }

  private func setNumber(_ option: ccurl_option, _ value: Int) { ccurl_set_number(easy, option, value) }
  private func setText(_ option: ccurl_option, _ value: String) { ccurl_set_text(easy, option, value) }

  private func prepareHeaders() -> HTTPFailure? {
    ccurl_list_free(lines)
    lines = nil
    guard isToken(request.method) else {
      return HTTPFailure(.badAddress, "the method is no word of HTTP")
    }
    // curl says that it waits for a go-ahead, and the type of a form, unless it is told otherwise.
    var all = ["Expect:"]
    if request.body != nil, !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      all.append("Content-Type:")
    }
    for (name, value) in request.headers {
      guard isToken(name) else { return HTTPFailure(.badAddress, "the name of a header is no word of HTTP") }
      guard value.utf8.allSatisfy({ $0 != 0 && $0 != 10 && $0 != 13 }) else {
        return HTTPFailure(.badAddress, "the value of the header `\(name)` holds a line break or a zero byte")
      }
      let isEmpty = value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
      all.append(isEmpty ? "\(name);" : "\(name): \(value)")
    }
    for line in all {
      guard let longer = ccurl_list_with(lines, line) else {
        return HTTPFailure(.other, "there is no memory for the headers")
      }
      lines = longer
    }
    ccurl_set_list(easy, CCURL_OPTION_HEADERS, lines)
    return nil
  }

  private func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x61 && $0 <= 0x7A)
          || "!#$%&'*+-.^_`|~".utf8.contains($0)
      }
  }

  private func prepareBody() -> HTTPFailure? {
    switch request.body {
    case .bytes(let bytes): setBody(bytes)
    case .file(let path):
      file?.closeQuietly()
      file = nil
      do {
        let opened = try File.openToRead(path)
        file = opened
        ccurl_set_size(easy, CCURL_OPTION_UPLOAD_SIZE, Int64(try opened.status().size))
      } catch { return HTTPFailure(.other, "\(error)") }
      setNumber(CCURL_OPTION_UPLOAD, 1)
      let own = Unmanaged.passUnretained(self).toOpaque()
      ccurl_set_pointer(easy, CCURL_OPTION_READ_DATA, own)
      ccurl_set_pointer(easy, CCURL_OPTION_SEEK_DATA, own)
      ccurl_set_data_function(easy, CCURL_OPTION_READ_FUNCTION) { bytes, size, count, data in
        // Another number than that of bytes ends it.
        Transfer.of(data)?.give(UnsafeMutableRawBufferPointer(start: bytes, count: size &* count)) ?? .max
      }
      // To the start again, where a kept connection turns out to be closed.
      ccurl_set_seek_function(easy, CCURL_OPTION_SEEK_FUNCTION) { data, offset, origin in
        guard let file = Transfer.of(data)?.file else { return 1 }
        return lseek(file.descriptor, off_t(offset), origin) >= 0 ? 0 : 1
      }
    case nil:
      if request.method == "HEAD" {
        setNumber(CCURL_OPTION_NO_BODY, 1)
        return nil
      }
      // Of these a server expects a length.
      if ["POST", "PUT", "PATCH"].contains(request.method) { setBody([]) }
    }
    setText(CCURL_OPTION_METHOD, request.method)
    return nil
  }

  private func setBody(_ bytes: [UInt8]) {
    ccurl_set_size(easy, CCURL_OPTION_BODY_SIZE, Int64(bytes.count))
    // Of no bytes there need be no address, which would mean no body.
    (bytes.isEmpty ? [0] : bytes).withUnsafeBytes {
      _ = ccurl_set_pointer(easy, CCURL_OPTION_COPIED_BODY, $0.baseAddress)
    }
  }

  private func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let file else { return .max }
    while true {
      let count = read(file.descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR {
        end = .failure(HTTPFailure(.other, "\(SystemError("read", file.path, code: errno))"))
        return .max
      }
    }
  }

  // MARK: The response

  /// All of the bytes, or none to end it.
  private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
    hasBegun = true
    headerBytes += bytes.count
    guard headerBytes <= Self.mostHeaderBytes else {
      return stop(
        .failure(HTTPFailure(.tooLarge, "its headers are larger than \(Self.mostHeaderBytes) bytes")))
    }
    var line = bytes[...]
    while let last = line.last, last == 10 || last == 13 || last == 32 || last == 9 { line = line.dropLast() }
    if line.starts(with: "HTTP/".utf8) {
      headers = []
      let words = line.split(separator: 32, maxSplits: 2)
      status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) ?? 0 : 0
    } else if line.isEmpty {
      guard headIsTaken() else { return 0 }
    } else if let first = line.first, first == 32 || first == 9 {
      // The rest of the value before, as HTTP once allowed.
      if let (name, value) = headers.popLast() {
        headers.append(
          (name, "\(value) \(String(decoding: line.drop { $0 == 32 || $0 == 9 }, as: UTF8.self))"))
      }
    } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
      let value = line[line.index(after: colon)...].drop { $0 == 32 || $0 == 9 }
      headers.append(
        (String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }
    return bytes.count
  }

  /// Whether its body is wanted.
  private func headIsTaken() -> Bool {
    if status < 200 { return true }
    isHeadWhole = true
    isSentOn =
      request.redirects > 0 && [301, 302, 303, 307, 308].contains(status)
      && header("location") != nil
    if isSentOn { return true }
    if case .stream(let offset, _) = sink {
      guard status == (offset > 0 ? 206 : 200) else { return stop(.headIsAll) != 0 }
      if offset > 0, header("content-range")?.hasPrefix("bytes \(offset)-") != true {
        return stop(
          .failure(HTTPFailure(.other, "other bytes come than from \(offset) on, which were asked for"))) != 0
      }
    }
    if request.method != "HEAD", header("content-encoding") == nil,
      let length = header("content-length").flatMap({ Int($0) }), length > request.largestBody
    {
      return stop(tooLarge) != 0
    }
    return true
  }

  private var tooLarge: End {
    .failure(HTTPFailure(.tooLarge, "the body is larger than \(request.largestBody) bytes"))
  }

  private func header(_ name: String) -> String? { headers.last { $0.name.lowercased() == name }?.value }

  private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
    hasBegun = true
    guard bytes.count <= request.largestBody - bodyBytes else { return stop(tooLarge) }
    bodyBytes += bytes.count
    if isSentOn { return bytes.count }
    switch sink {
    case .response: body.append(contentsOf: bytes)
    case .stream(_, let take):
      do { try take(bytes) } catch { return stop(.thrown(error)) }
    }
    return bytes.count
  }

  private func stop(_ end: End) -> Int {
    self.end = end
    return 0
  }

  // MARK: Its end

  func outcome(_ code: Int32) -> Outcome {
    switch end {
    case .failure(let failure): return .ended(.failure(failure))
    case .thrown(let error): return .threw(error)
    case .headIsAll: return .ended(.success(response([])))
    case nil: break
    }
    guard code == CCURL_RESULT_OK.rawValue else {
      // The library has one result for both.
      if code == CCURL_RESULT_TIMED_OUT.rawValue, let slowest,
        String(cString: message).hasPrefix("Operation too slow")
      {
        return .ended(
          .failure(
            HTTPFailure(
              .wholeTimeout,
              "fewer than \(slowest.bytes) bytes a second came for \(slowest.seconds) s")))
      }
      return .ended(
        .failure(
          CurlLibrary.failure(code, String(cString: message), trusted: environment.certificatesVariable)))
    }
    // The library takes a head that ends anywhere for a whole one.
    guard isHeadWhole else {
      return .ended(.failure(HTTPFailure(.cut, "the connection ended before the response's headers did")))
    }
    guard isSentOn else {
      return .ended(.success(response(body)))
    }
    if let failure = goOn() { return .ended(.failure(failure)) }
    return .sentOn
  }

  private func response(_ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, body: body, address: address?.text ?? request.url)
  }

  /// The request at the address to which it was sent on.
  private func goOn() -> HTTPFailure? {
    guard redirectsLeft > 0 else {
      return HTTPFailure(.tooManyRedirects, "it is sent on more than \(request.redirects) times")
    }
    redirectsLeft -= 1
    guard let before = address, let place = header("location"),
      let next = try? HTTPAddress(place, relativeTo: before)
    else { return HTTPFailure(.badAddress, "it is sent on to what is no address of http or https") }
    if before.isEncrypted, !next.isEncrypted {
      return HTTPFailure(.badAddress, "it is sent on from https to `\(next.shown)`, where anybody can listen")
    }
    address = next
    // As browsers do it.
    if status == 303 && request.method != "HEAD" || (status < 303 && request.method == "POST") {
      request.method = "GET"
      request.body = nil
      request.headers.removeAll { $0.name.lowercased() == "content-type" }
    }
    if next.origin != before.origin {
      request.headers.removeAll { !Self.harmless.contains($0.name.lowercased()) }
    }
    return nil
  }

  /// Headers that another host may see: they say what is wanted, not by whom.
  private static let harmless: Set<String> = [
    "accept", "accept-language", "content-type", "range", "user-agent",
  ]
}
