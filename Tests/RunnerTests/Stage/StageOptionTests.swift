// Options by their constants: the decoded JSON of each type as the Swift value that it declares.

import Glibc
import JSON
import Runner
import Testing

@Suite struct StageOptionTests {
  enum Scope: String, CaseIterable { case prompt, global }
  enum Shape: Equatable {
    case none
    case named(String)
    case square(Double)
  }
  enum Word: String, CaseIterable { case none }

  static let count = StageOption("count", .integer(0...9), default: 1, summary: "")
  static let scope = StageOption("scope", .choice(Scope.self), summary: "")
  static let limit = StageOption("limit", .optional(.integer(1...9)), default: nil, summary: "")
  static let texts = StageOption("texts", .list(.string, count: 0...4), default: [], summary: "")
  static let words = StageOption(
    "words", .mapping(.either(.mapped(.string) { [$0] }, .list(.string, count: 1...2)), count: 0...3),
    default: [:], summary: "")
  static let name = StageOption("name", .string, summary: "")
  static let side = StageOption("side", .number(0...10), default: 2, summary: "")
  static let shape = StageOption<Shape>(
    "shape",
    .either(
      .mapped(.choice(Word.self)) { _ in .none }, .object([name.field]) { .named($0[name]) },
      .object([side.field]) { .square($0[side]) }), default: "none", summary: "")
  static let variant = StageOption<Shape>(
    "variant",
    .variant([
      OptionCase("named", [name.field], summary: "") { .named($0[name]) },
      OptionCase("square", [side.field], summary: "") { .square($0[side]) },
    ]), summary: "")
  static let shapes = StageOption(
    "shapes", .list(.object([name.field, side.field]) { Shape.named($0[name]) }, count: 0...3), default: [],
    summary: "")

  @Test func `each type gives its Swift value`() {
    let options = StageOptions([
      "count": 3, "scope": "global", "limit": nil, "texts": ["a", "b"], "shape": ["side": 3],
      "variant": ["kind": "named", "name": "n"], "side": 4,
    ])
    #expect(options[Self.count] == 3)
    #expect(options[Self.scope] == .global)
    #expect(options[Self.limit] == nil)
    #expect(options[Self.texts] == ["a", "b"])
    // Of alternatives that are mappings the one that has these keys.
    #expect(options[Self.shape] == .square(3))
    #expect(options[Self.variant] == .named("n"))
    #expect(options[Self.side] == 4)
    #expect(StageOptions(["shape": "none"])[Self.shape] == .none)
    #expect(StageOptions(["limit": 7])[Self.limit] == 7)
  }

  @Test func `a mapping comes in the order of its names' bytes`() {
    let words = StageOptions(["words": ["b": "x", "é": ["y"], "B": ["z", "w"], "": "v"]])[Self.words]
    #expect(words.map(\.name) == ["", "B", "b", "é"])
    #expect(words.map(\.value) == [["v"], ["z", "w"], ["x"], ["y"]])
    #expect(StageOptions(["words": [:]])[Self.words].isEmpty)
    let known = Self.words.value(in: ["words": ["a": "x", "b": 3, "c": ["env": "X"]]])
    #expect(known.map { $0.map(\.name) } == ["a"])
    #expect(
      "\(Self.words.field.type)" == "mapping from names to string, or list of string, 1 to 2, at most 3")
  }

  @Test func `a secret is the variable's value when the stage runs, and not known before`() {
    setenv("PLUMB_TEST_OPTION", "open sesame", 1)
    defer { unsetenv("PLUMB_TEST_OPTION") }
    let json: JSON = [
      "name": ["env": "PLUMB_TEST_OPTION"], "texts": [["env": "PLUMB_TEST_OPTION"], "plain"],
    ]
    #expect(StageOptions(json)[Self.name] == "open sesame")
    #expect(StageOptions(json)[Self.texts] == ["open sesame", "plain"])
    #expect(Self.name.value(in: json) == nil)
    #expect(Self.texts.value(in: json) == ["plain"])
  }

  @Test func `what was written wrongly is not known`() {
    #expect(Self.scope.value(in: ["scope": nil]) == nil)
    #expect(Self.scope.value(in: ["scope": "row"]) == nil)
    #expect(Self.scope.value(in: [:]) == nil)
    #expect(Self.limit.value(in: ["limit": nil]) == .some(nil))
    #expect(Self.variant.value(in: ["variant": ["kind": "square", "side": nil]]) == .square(2))
    #expect(Self.variant.value(in: ["variant": ["kind": "named", "name": nil]]) == nil)
    #expect(
      Self.shapes.value(in: ["shapes": [["name": "a", "side": "x"], ["name": 3, "side": 1]]])
        == [.named("a")])
  }

  @Test func `an option that was added later has its default where it is not`() {
    let later = StageOption("later", .integer(0...9), default: 4, addedLater: true, summary: "")
    let object = StageOption<Int>(
      "object", .object([Self.count.field, later.field]) { $0[later] }, summary: "")
    #expect(StageOptions([:])[later] == 4 && StageOptions(["later": 5])[later] == 5)
    #expect(StageOptions(["object": ["count": 1]])[object] == 4)
    #expect(StageOptions(["object": ["count": 1, "later": 7]])[object] == 7)
    #expect(object.value(in: ["object": ["count": 1]]) == 4)
  }

  @Test func `the field has the option's name, type and default`() {
    #expect(Self.limit.field.name == "limit")
    #expect(Self.limit.field.defaultValue == .some(.null))
    #expect(Self.scope.field.defaultValue == nil)
    #expect("\(Self.scope.field.type)" == "`prompt` or `global`")
    #expect("\(Self.texts.field.type)" == "list of string, at most 4")
  }
}
