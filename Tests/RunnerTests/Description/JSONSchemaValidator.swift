// A public validator, Python's `jsonschema`, where it is installed: nothing else in the tests needs it.

import Foundation
import JSON
import TestFolder
import Testing

enum JSONSchemaValidator {
  static let isPresent = (try? run("import jsonschema")) == ""

  /// For each instance nothing when it is valid, else the first complaint.
  static func complaints(_ instances: [JSON], schema: JSON) throws -> [String] {
    let place = TemporaryFolder()
    let folder = place.path
    try place.write(schema.text(), to: "schema.json")
    try place.write(instances.map { $0.text() + "\n" }.joined(), to: "instances")
    let script = """
      import json, jsonschema
      schema = json.load(open("\(folder)/schema.json"))
      jsonschema.Draft202012Validator.check_schema(schema)
      validator = jsonschema.Draft202012Validator(schema)
      for line in open("\(folder)/instances"):
          error = next(validator.iter_errors(json.loads(line)), None)
          print(error.json_path + ": " + error.message[:200].replace("\\n", " ") if error else "")
      """
    let output = try withExtendedLifetime(place) { try run(script) }
    let found = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { String($0) }
    try #require(found.count == instances.count, "\(output.suffix(2000))")
    return found
  }

  private static func run(_ script: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self)
  }
}
