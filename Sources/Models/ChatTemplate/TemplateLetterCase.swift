// Upper, lower and title case of a text, as Python's `str` has them; letters keep their origin.

extension TemplateText {
  var uppercased: TemplateText { mapped { $0.properties.uppercaseMapping } }

  var lowercased: TemplateText {
    TemplateText(characters.indices.flatMap { lowercased(at: $0) })
  }

  /// `str.capitalize`: the first letter in title case, the others in lower case.
  var capitalized: TemplateText {
    TemplateText(
      characters.indices.flatMap { index in
        index == 0 ? characters[index].mapped(\.properties.titlecaseMapping) : lowercased(at: index)
      })
  }

  /// `str.title`: title case after whatever has no case.
  var titled: TemplateText {
    var isInside = false
    return TemplateText(
      characters.indices.flatMap { index -> [TemplateCharacter] in
        defer { isInside = characters[index].scalar.properties.isCased }
        return isInside ? lowercased(at: index) : characters[index].mapped(\.properties.titlecaseMapping)
      })
  }

  /// The filter `title`: upper case at the start and after white space, `-`, `(`, `{`, `[` and `<`.
  var titledAfterSpace: TemplateText {
    var result: [TemplateCharacter] = []
    var word: [TemplateCharacter] = []
    func finishWord() {
      guard let first = word.first else { return }
      result +=
        first.mapped(\.properties.uppercaseMapping) + TemplateText(word.dropFirst()).lowercased.characters
      word = []
    }
    for character in characters {
      if character.isWhitespace || "-({[<".unicodeScalars.contains(character.scalar) {
        finishWord()
        result.append(character)
      } else {
        word.append(character)
      }
    }
    finishWord()
    return TemplateText(result)
  }

  private func mapped(_ mapping: (Unicode.Scalar) -> String) -> TemplateText {
    TemplateText(characters.flatMap { $0.mapped(mapping) })
  }

  /// A capital sigma at the end of a word has its own small letter.
  private func lowercased(at index: Int) -> [TemplateCharacter] {
    let character = characters[index]
    guard character.scalar == "Σ" else { return character.mapped(\.properties.lowercaseMapping) }
    let before = characters[..<index].last { !$0.scalar.properties.isCaseIgnorable }
    let after = characters[(index + 1)...].first { !$0.scalar.properties.isCaseIgnorable }
    let isFinal = before?.scalar.properties.isCased == true && after?.scalar.properties.isCased != true
    return [character.with(isFinal ? "ς" : "σ")]
  }
}

extension TemplateCharacter {
  fileprivate func mapped(_ mapping: (Unicode.Scalar) -> String) -> [TemplateCharacter] {
    mapping(scalar).unicodeScalars.map(with)
  }
}
