// A page as one HTML file that needs nothing beside it: styles, pictures and the script are inside, and it may fetch nothing.

import Charts
import FoundationEssentials
import Mustache
import System

package struct PageHTML {
  private let page: Page
  private let frame: PageFrame?

  /// - Parameter frame: where a server shows it; nil of a file.
  package init(_ page: Page, frame: PageFrame? = nil) {
    self.page = page
    self.frame = frame
  }

  /// - Throws: where the template itself is wrong, which a test would have found.
  package var text: String {
    get throws {
      let template = try MustacheTemplate(string: PageTemplate.page)
      let isSearchable = page.sections.contains { section in
        section.blocks.contains { if case .samples = $0 { true } else { false } }
      }
      let isLive = frame?.events != nil
      // What a run that runs has no samples of yet, it may have later.
      let scripts = (isSearchable || isLive ? [PageTemplate.script] : []) + (isLive ? [PageFrame.script] : [])
      var values: [String: Any] = [
        "title": Self.shown(page.title), "subtitle": Self.shown(page.subtitle), "state": page.state,
        "style": Self.style, "scripts": scripts, "policy": Self.policy(scripts: scripts, connects: isLive),
        "sections": page.sections.map(section), "program": Program.name,
      ]
      if let frame {
        func shown(_ links: [PageFrame.Link]) -> [[String: String]] {
          links.map { ["words": Self.shown($0.words), "target": $0.target] }
        }
        values["around"] = ["links": shown(frame.links)]
        if !frame.logs.isEmpty { values["logs"] = ["links": shown(frame.logs)] }
        if let events = frame.events { values["events"] = events }
      }
      return template.render(values)
    }
  }

  package static var style: String { PageTemplate.style + SVGText.rules }

  /// Nothing is fetched, and no script runs but these.
  /// - Parameter connects: whether they may ask the server that the page is from.
  package static func policy(scripts: [String], connects: Bool) -> String {
    let hashes = scripts.map { script -> String in
      let hex = Array(Digest.of(text: script).hex.utf8)
      let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
        UInt8(String(decoding: hex[$0..<$0 + 2], as: UTF8.self), radix: 16)
      }
      return " 'sha256-\(Data(bytes).base64EncodedString())'"
    }
    return
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action \(connects ? "'self'" : "'none'"); script-src\(hashes.isEmpty ? " 'none'" : hashes.joined())\(connects ? "; connect-src 'self'" : "")"
  }

  private func section(_ section: Page.Section) -> [String: Any] {
    [
      "heading": Self.shown(section.title), "anchor": section.anchor, "blocks": section.blocks.map(block),
    ]
  }

  private func block(_ block: Page.Block) -> [String: Any] {
    switch block {
    case .paragraph(let text): ["paragraph": Self.shown(text)]
    case .warning(let text): ["warning": Self.shown(text)]
    case .facts(let facts):
      [
        "facts": [
          "each": facts.map { ["term": Self.shown($0.name), "detail": Self.shown($0.value)] }
        ] as [String: Any]
      ]
    case .table(let rows): ["table": table(rows)]
    case .foldedTable(let rows, let title):
      ["folded": ["name": Self.shown(title), "table": table(rows)] as [String: Any]]
    case .pictures(let pictures):
      ["pictures": ["each": pictures.map { ["svg": $0.drawing.part] }] as [String: Any]]
    case .widePicture(let picture): ["wide": ["svg": picture.drawing.part]]
    case .code(let text, let title, let isOpen):
      ["code": ["text": Self.shown(text), "name": Self.shown(title), "open": isOpen] as [String: Any]]
    case .samples(let table): ["samples": samples(table)]
    }
  }

  private func table(_ rows: [[String]]) -> [String: Any] {
    [
      "columns": (rows.first ?? []).map { ["cell": Self.shown($0)] },
      "rows": rows.dropFirst().map { ["cells": $0.map(cell)] },
    ]
  }

  private func cell(_ text: String) -> [String: Any] {
    let first = text.split(separator: " ").first ?? ""
    let isNumber = first.utf8.count <= 11 && Double(first) != nil
    return ["cell": Self.shown(text), "isNumber": isNumber]
  }

  private func samples(_ table: SampleTable) -> [String: Any] {
    [
      "note": Self.shown(table.note), "count": String(table.prompts.count),
      "isChosen": table.prompts.contains { $0.kinds.contains("best") },
      "prompts": table.prompts.map { prompt -> [String: Any] in
        [
          "id": Self.shown(prompt.id), "prompt": Self.shown(prompt.text),
          "kinds": prompt.kinds.joined(separator: " "),
          "answers": zip(table.addresses, prompt.answers).map { address, answer -> [String: Any] in
            let left = answer.count - answer.samples.count
            var shown: [String: Any] = [
              "address": Self.shown(address),
              "each": answer.samples.map { sample in
                [
                  "sample": Self.shown(sample.text),
                  "scores": sample.scores.map { "\(Self.shown($0.name)) \(Self.number($0.value))" }
                    .joined(separator: " · "),
                ]
              },
            ]
            if left > 0 { shown["more"] = "and \(left) more" }
            return shown
          },
        ]
      },
    ]
  }

  /// A count without places behind the point.
  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : TextTable.number(value)
  }

  /// With control characters, and directions that would turn a line around, as their codes in brackets. What HTML reads as its own is
  /// escaped by the template.
  package static func shown(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: SVGText.isHidden) else { return text }
    return text.unicodeScalars.map { scalar in
      SVGText.isHidden(scalar) ? "[\(String(scalar.value, radix: 16))]" : String(scalar)
    }.joined()
  }
}
