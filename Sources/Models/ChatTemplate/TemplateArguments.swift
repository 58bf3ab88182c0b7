// The arguments that a function, filter, test, method or macro is given.

import System

struct TemplateArguments {
  var positional: [TemplateValue] = []
  var named: [(name: String, value: TemplateValue)] = []

  /// The value of each parameter; nil where none was given.
  /// - Throws: `ChatTemplateError` for an argument that has no parameter, and for two of one.
  func bound(to parameters: [String], of function: String, _ run: TemplateRun) throws -> [TemplateValue?] {
    guard positional.count <= parameters.count else {
      throw run.failure(
        "\(quoted(function)) takes at most \(parameters.count) arguments, found \(positional.count)")
    }
    var values: [TemplateValue?] =
      positional + Array(repeating: nil, count: parameters.count - positional.count)
    for (name, value) in named {
      guard let index = parameters.firstIndex(of: name) else {
        throw run.failure("\(quoted(function)) has no argument \(quoted(name))")
      }
      guard values[index] == nil else {
        throw run.failure("\(quoted(function)) is given \(quoted(name)) twice")
      }
      values[index] = value
    }
    return values
  }

  /// As `bound`, where the first `count` parameters are needed.
  func bound(to parameters: [String], atLeast count: Int, of function: String, _ run: TemplateRun) throws
    -> [TemplateValue?]
  {
    let values = try bound(to: parameters, of: function, run)
    if let missing = values.prefix(count).firstIndex(where: { $0 == nil }) {
      throw run.failure("\(quoted(function)) needs its argument \(quoted(parameters[missing]))")
    }
    return values
  }
}
