// The keys of the quickstart: results that people have stored stay theirs until a change means to make new ones.

import JSON
import Runner
import System
import Testing

@Suite struct QuickstartKeysTests {
  /// Of the lines `ADDRESS RECIPE_KEY` of its 23 stages. Another one means that every stored result is computed again: change it
  /// only with a result version, a numerics version or the quickstart itself.
  private static let digest = "349cebe820f1250d817ece7092a5ebabb965f0571a0da38f54137777852709a0"

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
