// A project folder for one test: a marker, files, and the whole way from a text to a plan.

import Foundation
import Glibc
import Runner
import System
import TestFolder
import Testing

final class TemporaryProject {
  private let place = TemporaryFolder()
  var folder: String { place.path }

  init() throws {
    guard mkdir("\(folder)/.plumb", 0o755) == 0 else { throw SystemError("create", folder, code: errno) }
  }

  func write(_ name: String, _ text: String) throws { try place.write(text, to: name) }

  func write(_ name: String, _ bytes: [UInt8]) throws { try place.write(bytes, to: name) }

  func result(_ name: String, set overrides: [String] = []) -> Result<
    (experiment: Experiment, plan: Plan), DiagnosticList
  > {
    Planner.plan(path: "\(folder)/\(name)", overrides: overrides, stages: Toys.registry)
  }

  /// What the user would read; empty when nothing is wrong. The folder's own path is taken out.
  func diagnostics(_ name: String, set overrides: [String] = []) -> String {
    let list: DiagnosticList
    switch result(name, set: overrides) {
    case .success(let good): list = DiagnosticList(good.plan.warnings)
    case .failure(let bad): list = bad
    }
    return DiagnosticRenderer().render(list).replacingOccurrences(of: "\(folder)/", with: "")
      .replacingOccurrences(of: folder, with: "PROJECT")
  }

  func plan(_ text: String, set overrides: [String] = []) throws -> Plan {
    try write("experiment.yaml", text)
    switch result("experiment.yaml", set: overrides) {
    case .success(let good): return good.plan
    case .failure(let list): throw PlanFailure(description: DiagnosticRenderer().render(list))
    }
  }
}

struct PlanFailure: Error, CustomStringConvertible { let description: String }

/// The folder of this package's checked-in test data.
enum Fixtures {
  static let diagnostics =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/diagnostics").path
  /// `shared` beside the package, where present.
  static let shared =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("shared").path
}

func symlinkFile(_ target: String, _ path: String) -> Bool {
  (try? FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)) != nil
}
