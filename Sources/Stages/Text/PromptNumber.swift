// When two prompts are the same for whoever asks whether a model knows one.

import Models

/// Texts that differ in white space (ASCII) and upper and lower case alone have one number; two others have one with probability 2^-64.
struct PromptNumber {
  let value: UInt64

  init(_ prompt: String) {
    var words: [UInt8] = []
    for byte in prompt.lowercased().utf8 {
      if byte > 0x20 {
        words.append(byte)
      } else if let last = words.last, last != 0x20 {
        words.append(0x20)
      }
    }
    if words.last == 0x20 { words.removeLast() }
    value = words.withUnsafeBufferPointer(hash64)
  }
}
