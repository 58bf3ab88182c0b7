// Names from outside inside a message.

/// A name from a file between backticks, safe to print: control characters and everything that could disturb a
/// terminal are escaped, long names are cut.
package func quoted(_ name: String, limit: Int = 120) -> String {
  var text = "`"
  var length = 0
  for scalar in name.unicodeScalars {
    guard length < limit else {
      text += "…"
      break
    }
    length += 1
    // What nearly every name is made of; a property is looked up in tables.
    if (0x20..<0x7F).contains(scalar.value) {
      text.unicodeScalars.append(scalar)
      continue
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      text += "\\u{\(String(scalar.value, radix: 16))}"
    default: text.unicodeScalars.append(scalar)
    }
  }
  return text + "`"
}
