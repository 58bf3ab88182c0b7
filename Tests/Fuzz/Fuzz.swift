// What libFuzzer calls: its bytes as a model file of one format are read or refused, and never trap.

import Glibc
import Models

/// The format, one of `fuzzedFormats`.
private let format: FuzzedFormat = {
  let name = getenv("PLUMB_FUZZ").map { String(cString: $0) } ?? ""
  guard let format = fuzzedFormats.first(where: { $0.name == name }) else {
    fatalError("PLUMB_FUZZ is `\(name)`; expected one of \(fuzzedFormats.map(\.name))")
  }
  return format
}()

private let file = ScratchFile()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    file.write(format.file(Array(UnsafeBufferPointer(start: data, count: count))))
    try format.read(file.path)
  } catch {
    // Its text is made of the file's names and numbers.
    precondition(!"\(error)".isEmpty)
  }
  return 0
}
