// Markers such as `<|im_start|>` that an experiment spells and a model's tokenizer would read as letters.

import Experiments
import JSON
import Models
import System

extension StageFindings {
  /// Warns of what the prompts at a port spell in their template, and what options of this stage spell. What was warned of is not passed
  /// on to the stages that read this stage's rows: one slip is one warning.
  mutating func want(
    markersOf options: [(path: String, text: String)], promptsAt port: String, readBy model: String,
    in stage: StageCheck
  ) {
    let inPrompts = Set(
      stage.artifacts(port).flatMap { $0.facts[Fact.markers]?.arrayValue ?? [] }.compactMap(\.stringValue)
        .map(UTF8Key.init))
    let inOptions = options.flatMap { path, text in
      ModelText(literal: text).markers.map { (place: Place.option(path), marker: $0) }
    }
    let all = inOptions + inPrompts.map(\.string).sorted().map { (.input(port), $0) }
    guard !all.isEmpty, let path = stage.artifact(model)?.facts[Fact.tokenizerPath]?.stringValue,
      let added = try? openAddedTokens(path)
    else { return }
    let known = Set(added.map { UTF8Key($0.content) })
    let unread = all.filter { !known.contains(UTF8Key($0.1)) }
    let passed = inPrompts.map(\.string).sorted().filter { marker in
      !unread.contains { $0.1.utf8.elementsEqual(marker.utf8) }
    }
    declare(Fact.markers, .array(passed.map { .string($0) }), of: "rows")
    // The vocabulary is read only where there is something to say, which takes a tenth of a second.
    guard !unread.isEmpty, let tokenizer = try? openTokenizer(path) else { return }
    let hasTemplate = stage.artifact(model)?.facts[Fact.hasChatTemplate] == true
    for (place, marker) in unread {
      warning(
        .unreadMarker,
        "`\(marker)` is not a token of the model at `\(model)`, which reads it as \(tokenizer.encode(marker).count) tokens of ordinary text",
        at: place, label: place == .input(port) ? "its prompts contain it" : "spelled here",
        help: hasTemplate && ModelText.marksTurns(marker)
          ? "the model has a chat template: leave out the markers, and write `chat: true` at this stage"
          : "write the special tokens of this model; `\(System.Program.name) inspect` of its tokenizer.json lists them"
      )
    }
  }
}
