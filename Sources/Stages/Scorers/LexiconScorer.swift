// `kind: lexicon`: the weights of a text's words, from a file; needs no model.

import Experiments
import JSON
import System

struct LexiconScorer: Scorer {
  static let kind = "lexicon"
  static let summary =
    "the weights of the generation's words, from a file; a word is a run of letters, in lower case, and weighs 0 when the file lacks it"
  static let options = [file.field, category.field, aggregate.field]
  static let inputs: [InputPort] = []
  static let columns = ["generations"]
  static let computes = false

  private static let file = StageOption(
    "file", .file, aliases: ["path", "lexicon"],
    summary:
      "one JSON object `{\"good\": 1.9, …}`, or lines of a word, a tab and its weight; further columns are ignored"
  )
  private static let category = StageOption(
    "category", .optional(.string), default: nil, aliases: ["emotion"],
    summary: "for lines of a word, a category and a weight: the category whose lines are read")
  private static let aggregate = StageOption(
    "aggregate", .choice(Aggregate.self), default: "mean", aliases: ["combine", "reduction"],
    summary: "the mean over all words of the generation, or their sum; 0 for a generation without words")

  private enum Aggregate: String, CaseIterable { case mean, sum }

  private let path: String
  private let category: String?
  private let aggregate: Aggregate

  init(_ options: StageOptions) {
    path = options[Self.file]
    category = options[Self.category]
    aggregate = options[Self.aggregate]
  }

  /// A larger file is read when the stage runs.
  private static let bytesChecked = 1 << 23

  func check(_ stage: StageCheck, _ findings: inout StageFindings) {
    guard let status = FileStatus.of(path), status.size <= Self.bytesChecked else { return }
    do {
      _ = try Lexicon(file: path, category: category)
    } catch {
      findings.error(
        .wrongData, "\(error)", at: .option("scorer.file"), label: "this file", inInput: true)
    }
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate {
    StageEstimate(seconds: Estimates.reading(input.input("rows")))
  }

  func score(_ items: [RowItem], _ context: StageContext, emit: (RowItem, Score) throws -> Void) throws {
    let lexicon = try Lexicon(file: path, category: category)
    context.log(
      "lexicon: \(lexicon.weights.count) words; \(lexicon.unusable) entries that are not one word and \(lexicon.repeated) that repeat a word are ignored"
    )
    for (index, item) in items.enumerated() {
      try context.checkCancellation()
      try emit(item, .reward(score(try item.generation(), lexicon)))
      context.progress(index + 1, of: items.count, unit: "generations")
    }
  }

  private func score(_ text: String, _ lexicon: Lexicon) -> Double {
    let words = Lexicon.words(of: text)
    let sum = words.reduce(0) { $0 + (lexicon.weights[$1] ?? 0) }
    switch aggregate {
    case .sum: return sum
    case .mean: return words.isEmpty ? 0 : sum / Double(words.count)
    }
  }
}

/// Words with weights.
struct Lexicon {
  private(set) var weights: [String: Double] = [:]
  /// Entries that no word of a text can equal: phrases, emoticons.
  private(set) var unusable = 0
  /// Entries of a word that came before, in this or another case; the first one counts.
  private(set) var repeated = 0

  /// Runs of letters and the marks on them, in lower case. Words that differ in the composition of their characters alone are equal.
  static func words(of text: String) -> [String] {
    text.lowercased().unicodeScalars.split { scalar in
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
        .nonspacingMark, .spacingMark, .enclosingMark:
        false
      default: true
      }
    }.map { String($0) }
  }

  /// A file whose first character is `{` is JSON; any other has lines of columns between tabs.
  /// - Throws: `InputError` naming file, line and column.
  init(file path: String, category: String?) throws {
    let bytes = try readDataFile(path)
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    if bytes[start...].first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) == UInt8(ascii: "{") {
      guard category == nil else {
        throw InputError(
          "\(path): a JSON object has no categories; remove `category`, or give lines of columns")
      }
      try read(json: bytes[start...], path)
    } else {
      try read(lines: bytes[start...], path, category)
    }
    guard !weights.isEmpty else {
      throw InputError(
        "\(path): no word has a weight" + (category.map { " in the category `\($0)`" } ?? "")
          + (unusable > 0 ? "; \(unusable) entries are not one word each" : ""))
    }
  }

  private mutating func read(json bytes: ArraySlice<UInt8>, _ path: String) throws {
    let value: JSON
    do {
      value = try bytes.withUnsafeBytes { try JSON(parsing: $0) }
    } catch let error as JSONError {
      throw InputError("\(path):\(error.line):\(error.column): not JSON: \(error.message)")
    }
    for (word, weight) in value.objectValue?.members ?? [] {
      guard let number = weight.doubleValue, number.isFinite else {
        throw InputError("\(path): the weight of `\(word)` is \(weight.kind); expected a finite number")
      }
      add(word, number)
    }
  }

  private mutating func read(lines bytes: ArraySlice<UInt8>, _ path: String, _ category: String?) throws {
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated()
    {
      func wrong(_ reason: String) -> InputError { InputError("\(path):\(index + 1):1: \(reason)") }
      guard let text = String(validating: line, as: UTF8.self) else { throw wrong("not UTF-8") }
      if text.allSatisfy(\.isWhitespace) { continue }
      let columns = text.split(
        separator: "\t", omittingEmptySubsequences: false
      ).map { $0.trimmingBlanks() }
      let place = category == nil ? 1 : 2
      guard columns.indices.contains(place) else {
        throw wrong(
          category == nil
            ? "one column; expected a word, a tab and its weight"
            : "\(columns.count) columns; expected a word, a category and a weight, between tabs")
      }
      if let category, !columns[1].utf8.elementsEqual(category.utf8) { continue }
      guard let weight = Double(columns[place]), weight.isFinite else {
        throw wrong(
          "`\(columns[place])` is not a finite number; expected the weight of `\(columns[0])`"
            + (category == nil && columns.count > 2 && Double(columns[2]) != nil
              ? "; where the second column is a category, `category` says which one to read" : ""))
      }
      add(columns[0], weight)
    }
  }

  private mutating func add(_ entry: String, _ weight: Double) {
    let words = Self.words(of: entry)
    guard words.count == 1, words[0].unicodeScalars.count == entry.lowercased().unicodeScalars.count else {
      unusable += 1
      return
    }
    if weights[words[0]] == nil { weights[words[0]] = weight } else { repeated += 1 }
  }
}

extension Substring {
  /// Without blanks and a carriage return at its ends.
  fileprivate func trimmingBlanks() -> String {
    let scalars = unicodeScalars.drop { $0.properties.isWhitespace }
    return String(String.UnicodeScalarView(scalars.reversed().drop { $0.properties.isWhitespace }.reversed()))
  }
}
