// The functions that every chat template has.

import Glibc
import System

private let functions: Set<String> = ["dict", "namespace", "raise_exception", "range", "strftime_now"]

extension TemplateRun {
  /// Without a time there is no `strftime_now`: templates that test for it write a date of their own.
  func hasFunction(_ name: String) -> Bool {
    functions.contains(name) && (name != "strftime_now" || now != nil)
  }

  /// Items of a `range`, as in Jinja's sandbox.
  private static let maximumRange = 100_000

  func call(function name: String, _ arguments: TemplateArguments) throws -> TemplateValue {
    switch name {
    case "raise_exception":
      let message = try arguments.bound(to: ["message"], atLeast: 1, of: name, self)[0] ?? .none
      throw ChatTemplateError(line: line, try shown(message).string, isRefusal: true)
    case "strftime_now":
      let format = try arguments.bound(to: ["format"], atLeast: 1, of: name, self)[0] ?? .none
      return .text(try date(try string(format, name).string))
    case "namespace":
      let namespace = TemplateNamespace()
      for (name, value) in try members(name, arguments) {
        try setAttribute(try string(name, "namespace").string, of: namespace, to: value)
      }
      return .namespace(namespace)
    case "dict": return .dictionary(try dictionary(members(name, arguments)))
    default: return try range(arguments)
    }
  }

  /// What `dict` and `namespace` are made of: at most one dictionary, then named arguments.
  private func members(_ name: String, _ arguments: TemplateArguments) throws
    -> [(key: TemplateValue, value: TemplateValue)]
  {
    var members: [(key: TemplateValue, value: TemplateValue)] = []
    for value in arguments.positional {
      guard case .dictionary(let dictionary) = value, arguments.positional.count == 1 else {
        throw failure("\(quoted(name)) of \(value.kind) is not supported")
      }
      members = dictionary.members
    }
    return members + arguments.named.map { (.text($0.name), $0.value) }
  }

  private func range(_ arguments: TemplateArguments) throws -> TemplateValue {
    guard arguments.named.isEmpty else { throw failure("`range` takes no named arguments") }
    let given = try arguments.bound(to: ["start", "stop", "step"], atLeast: 1, of: "range", self)
      .compactMap { try $0.map { try integer($0, "range") } }
    let (start, stop) = given.count == 1 ? (0, given[0]) : (given[0], given[1])
    let step = given.count == 3 ? given[2] : 1
    guard step != 0 else { throw failure("the step of `range` is 0") }
    var items: [TemplateValue] = []
    var (next, overflows) = (start, false)
    while !overflows, step > 0 ? next < stop : next > stop {
      guard items.count < Self.maximumRange else {
        throw failure("`range` has more than \(Self.maximumRange) items")
      }
      items.append(.integer(next))
      (next, overflows) = next.addingReportingOverflow(step)
    }
    return .list(try list(items, .range))
  }

  var missingTime: ChatTemplateError {
    ChatTemplateError(line: line, "it writes the date, and is given none", needsTime: true)
  }

  private func date(_ format: String) throws -> String {
    guard let now else { throw missingTime }
    guard format.utf8.count <= 256 else { throw failure("the format of `strftime_now` exceeds 256 bytes") }
    if format.isEmpty { return "" }
    var time = time_t(now)
    var parts = tm()
    gmtime_r(&time, &parts)
    var buffer = [CChar](repeating: 0, count: 1 << 14)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
