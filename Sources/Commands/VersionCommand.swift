// `plumb version`: which program this is.

import ArgumentParser
import Models
import Runner
import System

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Print which version this is, and what it computes with here.")

  func run() throws {
    finish {
      try standardOutput(
        "\(programVersion)\nkernels: \(stageDevice.instructionSet), \(processorCount()) threads\n")
      return .done
    }
  }
}
