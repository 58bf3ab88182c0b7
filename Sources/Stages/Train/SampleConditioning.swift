// What stands before the prompt of each sample in training, by its class or its own text.

import Experiments
import JSON
import Models
import System

/// Reads the column that a conditioning names, and counts the samples that are of no class.
struct SampleConditioning {
  enum Found {
    /// Before the prompt; its text tells equal ones apart.
    case prefix(ModelText)
    case none
    case leftOut
  }

  private let source: ClassSource
  private let conditioning: Conditioning
  private let template: ValueTemplate?
  private let prefixes: [ModelText]
  private let bestBy: String?
  private var missing = 0
  private var offList = 0
  private var best = -Double.infinity
  private var exemplarTexts: [String] = []

  static let maximumExemplars = 64

  /// Nil without conditioning.
  /// - Throws: `InputError` where options contradict each other.
  init?(_ choice: ConditioningChoice) throws {
    guard let source = choice.source else { return nil }
    guard let conditioning = choice.conditioning else {
      throw InputError(
        "`conditioning` of kind `text` needs either `prefixes`, one a class, or `template`, which names `{value}`"
      )
    }
    var text: TextConditioning?
    if case .text(let given) = choice { text = given }
    template = try text?.template.map { try ValueTemplate($0) }
    bestBy = text?.bestBy
    if let labels = source.labels, labels.count != conditioning.prefixes.count {
      throw InputError(
        "`conditioning.labels` has \(labels.count) entries for \(conditioning.prefixes.count) classes; expected one for each"
      )
    }
    self.source = source
    self.conditioning = conditioning
    prefixes = conditioning.prefixes.map(conditioning.text)
  }

  /// What an author wrote, for warnings.
  var literals: [ModelText] { prefixes + [template?.literal].compactMap { $0 } }

  /// - Throws: `InputError` naming the row.
  mutating func found(_ samples: SampleLists, _ index: Int, of row: Row) throws -> Found {
    guard let entry = samples[source.column]?[index] else {
      throw InputError(
        "row `\(row.id)`: sample \(index) has no class in the column `\(source.column)`"
          + (source.column == ClassSource.classNumbers ? "; is `quantize` missing?" : ""))
    }
    if source.labels == nil, template == nil { return .prefix(prefixes[try number(entry, index, row)]) }
    if entry.isNull {
      missing += 1
      return source.kept.contains(.missing) ? .none : .leftOut
    }
    if source.labels != nil {
      if let label = source.label(entry) { return .prefix(prefixes[label]) }
      offList += 1
      guard source.kept.contains(.offList) else { return .leftOut }
    }
    guard let template else { return .none }
    do {
      let text = try conditioning.text(entry, in: template)
      if source.labels == nil { try note(entry, samples, index, row) }
      return .prefix(text)
    } catch let error as InputError {
      throw InputError("row `\(row.id)`: entry \(index) of `\(source.column)`: \(error)")
    }
  }

  private func number(_ entry: JSON, _ index: Int, _ row: Row) throws -> Int {
    guard let label = entry.intValue else {
      throw InputError(
        "row `\(row.id)`: sample \(index) has no class in the column `\(source.column)`; "
          + (source.column == ClassSource.classNumbers
            ? "is `quantize` missing?" : "it is \(entry.text()), and `labels` says no class for it"))
    }
    guard prefixes.indices.contains(label) else {
      throw InputError(
        "row `\(row.id)`: sample \(index) is of class \(label), but `conditioning` has classes 0 to \(prefixes.count - 1)"
      )
    }
    return label
  }

  /// Keeps the texts of the best samples.
  private mutating func note(_ entry: JSON, _ samples: SampleLists, _ index: Int, _ row: Row) throws {
    guard let bestBy else { return }
    let value = try samples.required(bestBy, of: row)[index]
    if value.isNull { return }
    guard let number = value.doubleValue, number.isFinite else {
      throw InputError(
        "row `\(row.id)`: entry \(index) of `\(bestBy)` is \(value.kind); expected a number or null")
    }
    if number < best { return }
    if number > best {
      best = number
      exemplarTexts = []
    }
    let text = entry.stringValue ?? entry.text()
    guard exemplarTexts.count < Self.maximumExemplars,
      !exemplarTexts.contains(where: { $0.utf8.elementsEqual(text.utf8) })
    else { return }
    exemplarTexts.append(text)
  }

  /// Of the best samples, in the order in which they came.
  var exemplars: [String] { exemplarTexts }

  func report(to context: StageContext) {
    func report(_ count: Int, _ what: String, isKept: Bool, _ how: String) {
      if !isKept { return context.leaveOut(count, what) }
      if count > 0 { context.log("\(count) \(what) are trained on \(how)") }
    }
    report(
      missing, "samples without `\(source.column)`", isKept: source.kept.contains(.missing),
      "without conditioning")
    report(
      offList, "samples whose `\(source.column)` is none of `labels`",
      isKept: source.kept.contains(.offList), "with their own text")
    if bestBy != nil {
      context.log(
        exemplarTexts.isEmpty
          ? "no sample has a number in `\(bestBy ?? "")`, so the model keeps no exemplars"
          : "the model keeps \(exemplarTexts.count) exemplars, of samples whose `\(bestBy ?? "")` is \(best)")
    }
  }
}
