// The reference of stages, from their declarations: for a terminal, and as Markdown for docs/reference.

import System

package struct StagePages {
  let registry: StageRegistry
  package init(_ registry: StageRegistry) { self.registry = registry }

  private var declarations: [StageDeclaration] { registry.stages.map { $0.declaration } }

  /// A line a stage.
  package var list: String {
    let width = registry.names.map(\.utf8.count).max() ?? 0
    return declarations.map { declaration in
      let padding = String(repeating: " ", count: width + 2 - declaration.name.utf8.count)
      return "\(declaration.name)\(padding)\(declaration.summary)\n"
    }.joined()
  }

  // MARK: terminal

  package static func text(_ declaration: StageDeclaration) -> String {
    var text = "\(declaration.name)\n\n\(sentence(declaration.summary))\n\n"
    text += "  " + traits(declaration).joined(separator: "\n  ") + "\n"
    text += section("inputs, under `in:`", declaration.inputs.map { entry($0.name, type($0), $0.summary) })
    text += section("outputs", declaration.outputs.map { entry($0.name, type($0), $0.summary) })
    text += section(
      "options, under `with:`",
      OptionRow.rows(of: declaration.options).map { row in
        let original = row.originalText.map { " (\($0) with compat: original)" } ?? ""
        return entry(
          row.path, row.type + (row.defaultText.map { ", default \($0)\(original)" } ?? required(row)),
          row.summary)
      })
    return text.replacing("`", with: "")
  }

  private static func section(_ title: String, _ entries: [String]) -> String {
    entries.isEmpty ? "" : "\n\(title)\n" + entries.joined()
  }

  private static func entry(_ name: String, _ facts: String, _ summary: String) -> String {
    "  \(name): \(facts)\n      \(summary)\n"
  }

  // MARK: Markdown

  package static func markdown(_ declaration: StageDeclaration) -> String {
    var text = "# \(declaration.name)\n\n\(sentence(declaration.summary))\n\n"
    text += traits(declaration).map { "- \($0)\n" }.joined()
    text += table(
      "Inputs, under `in:`", ["input", "takes", ""],
      declaration.inputs.map { ["`\($0.name)`", type($0), $0.summary] })
    text += table(
      "Outputs", ["output", "is", ""], declaration.outputs.map { ["`\($0.name)`", type($0), $0.summary] })
    text += table(
      "Options, under `with:`", ["option", "type", "default", ""],
      OptionRow.rows(of: declaration.options).map { row in
        [
          "`\(row.path)`", row.type,
          row.defaultText.map {
            "`\($0)`" + (row.originalText.map { "; `\($0)` with `compat: original`" } ?? "")
          }
            ?? (required(row).isEmpty ? "" : "required"),
          row.summary,
        ]
      })
    return text
  }

  /// The page that leads to the others.
  package var index: String {
    "# Stages\n\n" + "The values of `uses:`. `\(Program.name) stages NAME` prints the same.\n\n"
      + Self.rows(
        ["stage", ""], declarations.map { ["[\($0.name)](\($0.name).md)", $0.summary] })
  }

  /// File names and texts.
  package var files: [(name: String, text: String)] {
    [("README.md", index)] + declarations.map { ("\($0.name).md", Self.markdown($0)) }
  }

  private static func table(_ title: String, _ heads: [String], _ cells: [[String]]) -> String {
    cells.isEmpty ? "" : "\n## \(title)\n\n" + rows(heads, cells)
  }

  static func rows(_ heads: [String], _ cells: [[String]]) -> String {
    func row(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
    return row(heads) + "|" + heads.map { _ in "---|" }.joined() + "\n" + cells.map { row($0) }.joined()
  }

  private static func sentence(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }

  // MARK: facts

  private static func traits(_ declaration: StageDeclaration) -> [String] {
    var traits = ["version \(declaration.version); a new version makes earlier results stale"]
    if declaration.isRandom { traits.append("draws random numbers: its seed is part of the key") }
    if let numerics = declaration.numerics {
      let modes = DiagnosticCollector.list(numerics.modes)
      traits.append("computes in \(modes): `numeric` is part of the key")
    }
    if declaration.rowsAreIndependent {
      traits.append("works row by row: finished rows survive a kill, and `shards` can split them")
    }
    return traits
  }

  private static func type(_ port: InputPort) -> String {
    var words = port.type.words
    if !port.columns.isEmpty { words += " with " + columns(port.columns) }
    return words + (port.isRequired ? "" : ", or null; optional")
  }

  private static func type(_ port: OutputPort) -> String {
    var words = port.type.words
    if let input = port.passesThrough {
      words += ": all columns of `\(input)`" + (port.replacesSamples ? " except those of its samples" : "")
    }
    var joint = port.passesThrough == nil ? " with " : ", and "
    if !port.columns.isEmpty {
      words += joint + columns(port.columns)
      joint = ", and "
    }
    if !port.samples.isEmpty { words += joint + "for each sample " + columns(port.samples) }
    return words
  }

  private static func columns(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }

  private static func required(_ row: OptionRow) -> String {
    row.path.hasSuffix(".kind") && row.type.hasPrefix("`") ? "" : ", required"
  }
}
