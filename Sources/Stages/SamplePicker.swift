// The choice of samples inside one prompt: balanced over classes, preferring those that were not cut off.

import Experiments
import JSON
import Models

struct SamplePicker {
  enum Rule {
    /// Up to this many of each class; nil is all.
    case perClass(Int?)
    /// This many of a prompt, in quotas over the classes.
    case perPrompt(Int, fillsWithAny: Bool)
  }
  /// The column that names a sample's class.
  let column: PoolStage.ClassColumn
  /// Best first; nil takes the quantiles that are there.
  let classes: [JSON]?
  let rule: Rule
  let maxTokens: Int?
  let seed: UInt64
  private let table: ColumnTable

  init(options: StageOptions, table: ColumnTable, seed: UInt64) throws {
    self.table = table
    column = options[PoolStage.by]
    let listed = options[PoolStage.classes]
    let perClass = options[PoolStage.perClass]
    let fills = options[PoolStage.fill] == .any
    if let perPrompt = options[PoolStage.perPrompt] {
      guard perClass == nil else {
        throw InputError("options `per_class` and `per_prompt`: two rules for one choice; write one of them")
      }
      rule = .perPrompt(perPrompt, fillsWithAny: fills)
    } else {
      rule = .perClass(perClass)
    }
    if listed.isEmpty {
      guard column == .quantiles, options[PoolStage.perPrompt] == nil else {
        throw InputError(
          "option `classes`: empty; expected the classes of `\(column.rawValue)`, best first")
      }
      classes = nil
    } else {
      classes = listed
    }
    maxTokens = options[PoolStage.maxTokens]
    self.seed = seed
  }

  /// A parsed row: its samples, and the class of each.
  struct Samples {
    let row: Row
    fileprivate let lists: SampleLists
    fileprivate let classOfEach: [JSON]

    var unclassedCount: Int { classOfEach.count { $0.isNull } }
  }

  func samples(of row: Row) throws -> Samples {
    let lists = try SampleLists(row, table)
    return Samples(row: row, lists: lists, classOfEach: try classColumn(of: lists, row))
  }

  /// Those that have a class at all; nil when none has.
  func withClassesOnly(_ samples: Samples) throws -> Samples? {
    let indices = samples.classOfEach.indices.filter { !samples.classOfEach[$0].isNull }
    if indices.count == samples.classOfEach.count, !indices.isEmpty { return samples }
    return try nonEmpty(indices, samples).map(self.samples)
  }

  /// How many have a class that none of `classes` is, and so are never picked.
  func unlistedCount(_ samples: Samples) -> Int {
    guard let classes else { return 0 }
    if case .perPrompt(_, fillsWithAny: true) = rule { return 0 }
    return samples.classOfEach.count { value in !value.isNull && !classes.contains { matches(value, $0) } }
  }

  /// Of each sample its class's place among the classes, 0 the best; nil where it is none of them.
  func classNumbers(_ row: Row) throws -> [Int?] {
    try samples(of: row).classOfEach.map { value in
      if value.isNull { return nil }
      guard let classes else { return value.intValue.flatMap { $0 >= 0 ? $0 : nil } }
      return classes.firstIndex { matches(value, $0) }
    }
  }

  /// How many classes there are; where none are listed, up to the worst quantile of these rows.
  func classCount(_ rows: [Row]) throws -> Int {
    if let classes { return classes.count }
    let worst = try rows.reduce(-1) { max($0, try classNumbers($1).compactMap { $0 }.max() ?? -1) }
    guard worst < 1000 else { throw InputError("the quantile \(worst) is beyond the 1000 that there may be") }
    return worst + 1
  }

  /// The samples to train on, class by class, best class first, in the order they were accepted.
  func picked(_ samples: Samples) throws -> Row? {
    let (row, values) = (samples.row, samples.classOfEach)
    let isShort = try shortSamples(samples.lists, row)
    let groups = self.groups(values)
    switch rule {
    case .perClass(let limit):
      let indices = groups.flatMap { group in
        limit.map { pick($0, from: group, isShort, row) } ?? group
      }
      return nonEmpty(indices, samples)
    case .perPrompt(let total, let fillsWithAny):
      let (quota, rest) = total.quotientAndRemainder(dividingBy: groups.count)
      var pending = rest
      var chosen: [Int] = []
      for group in groups {
        let taken = pick(quota, from: group, isShort, row)
        chosen += taken
        pending += quota - taken.count
      }
      let used = Set(chosen)
      let listed = Set(groups.joined())
      let filler = values.indices.filter { !used.contains($0) && (fillsWithAny || listed.contains($0)) }
      return nonEmpty(chosen + filler.prefix(pending), samples)
    }
  }

  /// The samples that stay in the pool when the share `drop` is forgotten; nil when none is left.
  ///
  /// By quantiles each class keeps floor(n * (1 - drop)) and the result is grouped by class; other columns
  /// keep that many of the whole list. Deviation: 1e-9 of slack, since 10 * (1 - 0.9) is below 1 in binary.
  func kept(_ samples: Samples, drop: Double) -> Row? {
    if drop <= 1e-9 { return samples.row }
    if drop >= 1 - 1e-9 { return nil }
    let (row, values) = (samples.row, samples.classOfEach)
    let groups = column == .quantiles ? Self.quantileGroups(values) : [Array(values.indices)]
    let indices = groups.flatMap { group in
      let count = Int(Double(group.count) * (1 - drop) + 1e-9)
      return shuffled(group, seed: seed, .dropSamples, id: row.id).prefix(count).sorted()
    }
    return nonEmpty(indices, samples)
  }

  /// `count` of a class: in random order those that are short enough, then, if too few, any others.
  private func pick(_ count: Int, from group: [Int], _ isShort: [Bool], _ row: Row) -> [Int] {
    let order = shuffled(group, seed: seed, .pickSamples, id: row.id)
    let accepted = order.filter { isShort[$0] }.prefix(count)
    let filler = order.filter { !isShort[$0] }.prefix(count - accepted.count)
    return Array(accepted) + filler
  }

  private func shortSamples(_ lists: SampleLists, _ row: Row) throws -> [Bool] {
    guard let maxTokens else { return [Bool](repeating: true, count: lists.count) }
    guard let lengths = lists["lengths"] else {
      throw InputError(
        "row `\(row.id)`: no column `lengths` with an entry per generation, which option `max_tokens` needs")
    }
    return try lengths.map {
      guard let length = $0.intValue else {
        throw InputError("row `\(row.id)`: a length is \($0.kind); expected an integer")
      }
      return length < maxTokens
    }
  }

  private func classColumn(of lists: SampleLists, _ row: Row) throws -> [JSON] {
    let values = try lists.required(column.rawValue, of: row)
    for value in values where !value.isNull {
      let fits =
        switch column {
        case .quantiles: value.intValue != nil
        case .scores: value.doubleValue != nil
        case .feedbacks: value.stringValue != nil
        }
      guard fits else {
        throw InputError("row `\(row.id)`: an entry of `\(column.rawValue)` is \(value.kind)")
      }
    }
    return values
  }

  /// Sample indices of each class, best class first, each in pool order.
  private func groups(_ values: [JSON]) -> [[Int]] {
    guard let classes else { return Self.quantileGroups(values) }
    return classes.map { named in values.indices.filter { matches(values[$0], named) } }
  }

  private static func quantileGroups(_ values: [JSON]) -> [[Int]] {
    let numbers = Set(values.compactMap(\.intValue)).sorted()
    return numbers.map { number in values.indices.filter { values[$0].intValue == number } }
  }

  /// Text is compared without regard to the case of letters; a score by its integer part, so that 2.5 is a 2.
  private func matches(_ value: JSON, _ named: JSON) -> Bool {
    if let text = value.stringValue {
      guard let name = named.stringValue else { return false }
      return text.lowercased().utf8.elementsEqual(name.lowercased().utf8)
    }
    guard let number = value.doubleValue, let name = named.intValue else { return false }
    return number.rounded(.towardZero) == Double(name)
  }

  private func nonEmpty(_ indices: [Int], _ samples: Samples) -> Row? {
    indices.isEmpty ? nil : samples.lists.selecting(indices, in: samples.row)
  }
}
