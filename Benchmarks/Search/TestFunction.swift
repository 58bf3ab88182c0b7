// Functions whose least value a search looks for: with a known minimum, and with the parameters that trainings have.

import Glibc
import JSON
import Search
import System

struct TestFunction {
  let name: String
  let space: Space
  let value: (JSONObject) -> Double

  /// By name; of the file of a table by its path.
  static func named(_ name: String) throws -> TestFunction? {
    if name.hasSuffix(".csv") { return try table(name) }
    return try [branin(), hartmann6(), training()].first { $0.name == name }
  }

  /// The negative metric of a sweep's trials, as `plumb sweep --csv` wrote them: a real experiment, of which every setting was run.
  private static func table(_ path: String) throws -> TestFunction {
    let lines = String(decoding: try File.read(path), as: UTF8.self).split { $0 == "\n" || $0 == "\r\n" }
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    guard let heading = lines.first, let metric = heading.firstIndex(where: { heading.contains("\($0)_se") })
    else { throw UsageError() }
    let names = heading[2..<metric].filter { $0 != "n" }
    var values: [[String]: Double] = [:]
    var choices: [String: [JSON]] = [:]
    for line in lines.dropFirst() {
      let row = try names.map { try JSON(parsing: Array(line[heading.firstIndex(of: $0) ?? 0].utf8)) }
      values[row.map { $0.text() }] = -(Double(line[metric]) ?? .nan)
      for (name, value) in zip(names, row) where choices[name]?.contains(value) != true {
        choices[name, default: []].append(value)
      }
    }
    let space = try Space(names.map { Parameter($0, .values(choices[$0] ?? [])) })
    let known = values
    return TestFunction(name: path, space: space) { chosen in
      known[names.compactMap { chosen[$0]?.text() }] ?? .nan
    }
  }

  /// Least value 0.397887.
  private static func branin() throws -> TestFunction {
    let space = try Space([Parameter("x", .uniform(-5, 10)), Parameter("y", .uniform(0, 15))])
    return TestFunction(name: "branin", space: space) { values in
      let (x, y) = (values["x"]?.doubleValue ?? .nan, values["y"]?.doubleValue ?? .nan)
      let inner = y - 5.1 / (4 * .pi * .pi) * x * x + 5 / .pi * x - 6
      return inner * inner + 10 * (1 - 1 / (8 * .pi)) * cos(x) + 10
    }
  }

  /// Least value -3.32237.
  private static func hartmann6() throws -> TestFunction {
    let names = (1...6).map { "x\($0)" }
    let heights = [1.0, 1.2, 3.0, 3.2]
    let a: [[Double]] = [
      [10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
      [17, 8, 0.05, 10, 0.1, 14],
    ]
    let p: [[Double]] = [
      [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
      [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
    let space = try Space(names.map { Parameter($0, .uniform(0, 1)) })
    return TestFunction(name: "hartmann6", space: space) { values in
      let x = names.map { values[$0]?.doubleValue ?? .nan }
      var sum = 0.0
      for (row, height) in heights.enumerated() {
        var exponent = 0.0
        for column in 0..<6 {
          let distance = x[column] - p[row][column]
          exponent += a[row][column] * distance * distance
        }
        sum += height * exp(-exponent)
      }
      return -sum
    }
  }

  /// As if of a training: categories, logarithmic, integer and quantised parameters, and some that exist under a value of another.
  /// Least value 0, with `adam`.
  private static func training() throws -> TestFunction {
    let space = try Space([
      Parameter("optimizer", .values(["sgd", "adam", "adafactor"])),
      Parameter("lr", .logUniform(1e-6, 1e-1)),
      Parameter("momentum", .uniform(0, 0.99), where: .init("optimizer", among: ["sgd"])),
      Parameter("beta2", .uniform(0.9, 0.999), where: .init("optimizer", among: ["adam"])),
      Parameter("layers", .integers(1, 8)),
      Parameter("width", .integers(16, 1024, isLogarithmic: true)),
      Parameter("dropout", .uniform(0, 0.5, step: 0.05)),
      Parameter("schedule", .values(["constant", "cosine"])),
      Parameter("warmup", .integers(0, 1000, step: 50), where: .init("schedule", among: ["cosine"])),
    ])
    return TestFunction(name: "training", space: space) { values in
      func number(_ name: String) -> Double { values[name]?.doubleValue ?? .nan }
      func square(_ x: Double) -> Double { x * x }
      let width = log2(number("width")) - 8
      var loss =
        0.03 * square(number("layers") - 5) + 4 * square(number("dropout") - 0.15) + 0.05 * width * width
      let rate: Double
      switch values["optimizer"]?.stringValue {
      case "sgd":
        rate = log10(number("lr")) + 2
        loss += 0.3 + 4 * square(number("momentum") - 0.9)
      case "adam":
        rate = log10(number("lr")) + 4
        loss += 0.2 * square((number("beta2") - 0.98) / 0.05)
      default:
        rate = log10(number("lr")) + 3
        loss += 0.15
      }
      loss += 0.5 * rate * rate + 0.15 * rate * width
      if values["schedule"] == "cosine" {
        loss += 0.2 * square((number("warmup") - 300) / 500)
      } else {
        loss += 0.15
      }
      return loss
    }
  }
}
