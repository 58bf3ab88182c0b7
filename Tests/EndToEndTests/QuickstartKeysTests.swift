// The keys of the quickstart: results that people have stored stay theirs until a change means to make new ones.

import JSON
import Runner
import System
import Testing

@Suite struct QuickstartKeysTests {
  /// Of the lines `ADDRESS RECIPE_KEY` of its 23 stages. Another one means that every stored result is computed again: change it
  /// only with a result version, a numerics version or the quickstart itself.
  private static let digest = "5b53e0a74e895914cb8ba95377a4b5e8908f14836073165f02e1ab8c4a675d3c"

  @Test func `the quickstart's stages have the keys that they had`() throws {
    let plumb = try BuiltPlumb()
    let ending = try plumb.run(
      "plan quickstart.yaml --json", before: "cp -r '\(ReferenceTests.package)/experiments/'* . && ")
    #expect(ending.status == 0, "\(ending.error)")
    let nodes = try #require(try JSON(parsing: ending.output)["nodes"]?.arrayValue)
    let lines = nodes.map { node in
      "\(node["address"]?.stringValue ?? "") \(node["recipe_key"]?.stringValue ?? "")\n"
    }
    #expect(nodes.count == 23 && Digest.of(text: lines.joined()).hex == Self.digest, "\(lines.joined())")
  }
}
