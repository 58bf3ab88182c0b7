// What a file is that was expected to be something else, and what to do about it.

/// In words that follow "found", from the first bytes.
package func describeContent(of file: MappedFile) -> String {
  if file.count == 0 { return "an empty file" }
  let head = Array(file.bytes.prefix(512))
  func starts(_ text: String) -> Bool { head.starts(with: Array(text.utf8)) }
  if starts("version https://git-lfs") {
    return "a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"
  }
  if head.starts(with: [0xEF, 0xBB, 0xBF]) {
    return "a text that begins with a byte order mark; remove its first three bytes"
  }
  if starts("GGUF") { return "a GGUF file" }
  if head.starts(with: [0x1F, 0x8B]) { return "a gzip archive; unpack it first" }
  if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
    return "a zip archive, as `torch.save` writes it; Plumb reads it under the name `pytorch_model.bin`"
  }
  if head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]) {
    return
      "a Python pickle without the zip archive that PyTorch puts around it since version 1.6; load it there and save it again"
  }
  let firstText = head.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.prefix(14).map { $0 | 0x20 }
  if firstText.starts(with: Array("<!doctype html".utf8)) || firstText.starts(with: Array("<html".utf8)) {
    return "an HTML page, probably an error or login page saved by a download; fetch the file again"
  }
  if head.count >= 9, head[8] == UInt8(ascii: "{"), head[4..<8].allSatisfy({ $0 == 0 }) {
    return "a safetensors file"
  }
  if head.first == UInt8(ascii: "{") { return "a JSON text" }
  if head.allSatisfy({ $0 == 0 }) { return "a file that begins with zeros" }
  // None of its bytes: a link in a model's folder may lead to any file.
  return "a file of another kind"
}
