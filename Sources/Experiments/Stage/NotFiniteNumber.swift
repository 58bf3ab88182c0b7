// Numbers that no artifact can hold: refused where a stage hands them over, by their place.

import JSON

/// A stage's result holds NaN or infinity.
public struct NotFiniteNumber: Error, Sendable, CustomStringConvertible {
  /// Who gave it, up to the number.
  let source: String
  /// `rewards[2]`; empty for the value itself.
  public let path: String
  public let value: Double

  public var description: String {
    "\(source) a number that is not finite: \(path.isEmpty ? "" : "`\(path)` is ")\(value)"
  }
}

extension JSON {
  /// - Parameter source: begins the error, such as "the row `a` holds".
  func requireFiniteNumbers(_ source: @autoclosure () -> String) throws {
    if let (path, value) = firstNotFiniteNumber() {
      throw NotFiniteNumber(source: source(), path: path, value: value)
    }
  }

  private func firstNotFiniteNumber() -> (path: String, value: Double)? {
    switch self {
    case .double(let value): return value.isFinite ? nil : ("", value)
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        if let (path, value) = element.firstNotFiniteNumber() {
          return (Self.join("[\(index)]", path), value)
        }
      }
    case .object(let object):
      for member in object.members {
        if let (path, value) = member.value.firstNotFiniteNumber() {
          return (Self.join(member.key, path), value)
        }
      }
    default: break
    }
    return nil
  }

  private static func join(_ step: String, _ rest: String) -> String {
    rest.isEmpty || rest.utf8.first == UInt8(ascii: "[") ? step + rest : "\(step).\(rest)"
  }
}
