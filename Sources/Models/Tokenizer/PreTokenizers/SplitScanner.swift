// What the known splitting expressions match at a position. Each alternative below is one of the expression's, in its order.

struct SplitScanner {
  let text: ScalarText
  /// The text ends here for the expression, whatever follows in memory.
  let end: Int

  /// The end of GPT-2's match that starts at `start`. Every character starts some match, so there are no gaps.
  func gpt2Match(at start: Int) -> Int {
    if let match = contraction(at: start, ignoringCase: false) { return match }
    // ` ?\p{L}+`, ` ?\p{N}+`, ` ?[^\s\p{L}\p{N}]+`
    let body = text.bytes[start] == 0x20 ? start + 1 : start
    if body < end {
      let kind = CharacterClass(text.scalar(at: body).scalar)
      if kind != .whitespace { return endOfRun(of: kind, from: body) }
    }
    return whitespace(at: start)
  }

  /// The end of the match of Llama 3's expression (`digitRun` 3) or Qwen 2's (1).
  func llamaMatch(at start: Int, digitRun: Int) -> Int {
    if let match = contraction(at: start, ignoringCase: true) { return match }
    let (first, second) = text.scalar(at: start)
    let kind = CharacterClass(first)
    // `[^\r\n\p{L}\p{N}]?\p{L}+`
    if kind == .letter { return endOfRun(of: .letter, from: start) }
    if kind != .number, !isLineBreak(first), second < end,
      CharacterClass(text.scalar(at: second).scalar) == .letter
    {
      return endOfRun(of: .letter, from: second)
    }
    // `\p{N}{1,3}` or `\p{N}`
    if kind == .number { return endOfRun(of: .number, from: start, atMost: digitRun) }
    // ` ?[^\s\p{L}\p{N}]+[\r\n]*`
    let body = first == " " ? second : start
    if body < end, CharacterClass(text.scalar(at: body).scalar) == .other {
      var position = endOfRun(of: .other, from: body)
      while position < end, text.bytes[position] == 0x0A || text.bytes[position] == 0x0D { position += 1 }
      return position
    }
    // `\s*[\r\n]+`: up to the last line break of the run of whitespace.
    let runEnd = endOfRun(of: .whitespace, from: start)
    var position = runEnd
    while position > start {
      if text.bytes[position - 1] == 0x0A || text.bytes[position - 1] == 0x0D { return position }
      position -= 1
    }
    return whitespace(at: start)
  }

  /// `\s+(?!\S)|\s+`: a run of whitespace, less its last character when something else follows it.
  private func whitespace(at start: Int) -> Int {
    var position = start
    var last = start
    while position < end {
      let (scalar, next) = text.scalar(at: position)
      guard CharacterClass(scalar) == .whitespace else { break }
      last = position
      position = next
    }
    if position == end || last == start { return position }
    return last
  }

  private func isLineBreak(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || scalar == "\r" }

  private func endOfRun(of kind: CharacterClass, from start: Int, atMost limit: Int = .max) -> Int {
    var position = start
    var length = 0
    while position < end, length < limit {
      let (scalar, next) = text.scalar(at: position)
      guard CharacterClass(scalar) == kind else { break }
      position = next
      length += 1
    }
    return position
  }

  /// `'s|'t|'re|'ve|'m|'ll|'d`. Ignoring case takes Unicode's simple folding, by which U+017F (long s) is an s.
  private func contraction(at start: Int, ignoringCase: Bool) -> Int? {
    guard text.bytes[start] == UInt8(ascii: "'"), start + 1 < end else { return nil }
    func letter(_ position: Int) -> UInt8 {
      guard position < end else { return 0 }
      let byte = text.bytes[position]
      return ignoringCase && byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
    switch (letter(start + 1), letter(start + 2)) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
      return start + 2
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return start + 3
    case (0xC5, 0xBF) where ignoringCase: return start + 3
    default: return nil
    }
  }
}
