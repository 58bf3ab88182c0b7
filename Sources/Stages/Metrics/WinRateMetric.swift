// `win_rate`: how often a judge, a language model, prefers the generations to those at `baseline`.

import Experiments
import JSON
import Models

/// Generation k of a row is compared with generation k of the baseline's row with its `id`. A comparison counts 1, 0 or, for a tie, one half; judged
/// in both orders it counts their mean; without a verdict that could be read it does not count.
/// Source: METHODS 1.13, which leaves unparsable replies open: Rafailov et al., "Direct preference optimization", 2023, appendix C.2, for the
/// random order.
struct WinRateMetric: Metric {
  static let name = "win_rate"
  static let summary =
    "how often the model `judge` prefers a generation to that of the rows at `baseline`, a tie one half (`win_rate`), and at equal length (`win_rate_length_controlled`); comparisons with a verdict (`win_rate_comparisons`), replies that are ties (`win_rate_ties`), that name no verdict (`win_rate_unparsable`) and that prefer the text they saw first (`win_rate_first`); mean words of both sides (`win_rate_words`, `win_rate_baseline_words`); with `repeat` how often two verdicts over one comparison agree (`win_rate_agreement`), and beyond chance (`win_rate_kappa`)"
  static let languageModels = ["judge"]
  static let inputs = [
    InputPort(
      "baseline", .rows, required: false, summary: "rows whose generations are compared, for `win_rate`"),
    InputPort("judge", .model, required: false, summary: "the model that judges, for `win_rate`"),
  ]
  static let options = [
    template.field, verdicts.field, order.field, seed.field, maxNewTokens.field, repetitions.field,
  ]

  private static let template = StageOption(
    "template", .string,
    summary:
      "the question, with `{prompt}`, `{a}` and `{b}`, the two generations in the order in which they are shown; other names are columns of the row. It may contain special tokens"
  )
  private static let verdicts = StageOption(
    "verdicts",
    .object([first.field, second.field, tie.field]) {
      JudgeVerdict.Words(first: $0[first], second: $0[second], tie: $0[tie])
    }, default: ["a": "A", "b": "B", "tie": nil],
    summary: "the words that a reply names the better one with; the last of them in the reply counts")
  private static let first = StageOption("a", .string, default: "A", summary: "the word for `{a}`")
  private static let second = StageOption("b", .string, default: "B", summary: "the word for `{b}`")
  private static let tie = StageOption(
    "tie", .optional(.string), default: nil, summary: "the word for neither; null is no such word")
  private static let order = StageOption(
    "order", .choice(Order.self), default: "random",
    summary: "which of two generations is `{a}`: drawn for each comparison, or `both`, one after the other")
  private static let seed = StageOption(
    "seed", .integer(0...Int(Int32.max)), default: 0, summary: "of the order that is drawn")
  private static let maxNewTokens = StageOption(
    "max_new_tokens", .integer(1...100_000), default: 16,
    summary: "how long a reply may be; the judge writes the likeliest token each time")

  private static let repetitions = StageOption(
    "repeat", .integer(1...100), default: 1, addedLater: true,
    summary:
      "how often each question is asked, for a judge behind a server, whose replies differ: all verdicts count, and their agreement is given"
  )

  private enum Order: String, CaseIterable { case random, both }

  private let template: String
  private let words: JudgeVerdict.Words
  private let order: Order
  private let seed: UInt64
  private let maxNewTokens: Int
  private let repetitions: Int

  init(_ options: StageOptions) {
    template = options[Self.template]
    words = options[Self.verdicts]
    order = options[Self.order]
    seed = UInt64(options[Self.seed])
    maxNewTokens = options[Self.maxNewTokens]
    repetitions = options[Self.repetitions]
  }

  func numbers(for options: JSON) -> [String] {
    MeanNumbers.names("win_rate", options)
      + [
        "win_rate_length_controlled", "win_rate_comparisons", "win_rate_ties", "win_rate_unparsable",
        "win_rate_first", "win_rate_words", "win_rate_baseline_words",
      ] + (repetitions > 1 ? ["win_rate_agreement", "win_rate_kappa"] : [])
      + LengthPolicy.lossNames(of: Self.name, options)
  }

  func check(_ stage: StageCheck, at place: String, _ findings: inout StageFindings) {
    if repetitions > 1, stage.artifact("judge")?.server == nil, stage.isBound("judge") {
      findings.error(
        .conflictingOptions,
        "`repeat` is \(repetitions), but the judge is greedy and says the same each time",
        at: .option("\(place).repeat"), label: "has nothing to act on",
        help: "remove it; a judge behind a `server` may reply otherwise each time")
    }
    do {
      let fields = try PromptTemplate(template).fieldNames
      for field in ["a", "b"] where !fields.contains(field) {
        findings.error(
          .badTemplate, "`template` does not name `{\(field)}`", at: .option("\(place).template"),
          label: "shows one generation alone", help: "write `{a}` and `{b}` where the generations stand")
      }
      for field in fields where !["prompt", "a", "b"].contains(field) {
        let root = String(Substring(field.utf8.prefix { $0 != UInt8(ascii: ".") }))
        if stage.artifacts("rows").contains(where: { $0.lacks(field) && $0.lacks(root) }) {
          findings.error(
            .unknownField, "`template` names `{\(field)}`, which the rows at `rows` do not have",
            at: .option("\(place).template"), label: "no such field",
            help: "it can name `{prompt}`, `{a}`, `{b}` and columns of the rows")
        }
      }
    } catch { findings.error(.badTemplate, "`template`: \(error)", at: .option("\(place).template")) }
    let known = [words.first, words.second] + [words.tie].compactMap { $0 }
    if Set(known.map { UTF8Key($0) }).count < known.count || known.contains(where: \.isEmpty) {
      findings.error(
        .wrongValue, "the words of `verdicts` are not different, or one is empty",
        at: .option("\(place).verdicts"), label: "say the same")
    }
  }

  func estimate(_ input: StageEstimate.Input) -> StageEstimate? {
    let judge = input.input("judge")
    let rows = input.input("rows")
    let both = [rows, input.input("baseline")].compactMap(Estimates.tokens).reduce(0, +)
    let orders = (order == .both ? 2 : 1) * repetitions
    let comparisons = (rows.items ?? rows.rows).map {
      $0.multipliedReportingOverflow(by: orders).partialValue
    }
    if let asked = Estimates.asking(
      input, "judge", requests: comparisons,
      tokens: comparisons.map {
        both * Double(orders) + Double($0 * template.utf8.count) / Estimates.bytesPerToken
      },
      reply: maxNewTokens)
    {
      return asked
    }
    guard judge.items != nil else { return nil }
    let replies = Double((rows.items ?? rows.rows ?? 0) * (maxNewTokens + template.utf8.count / 4))
    return Estimates.scoringWithModel(
      tokens: (both + replies) * Double(orders), by: judge, input)
  }

  func measure(_ generations: Generations, _ context: StageContext) throws -> [JSON] {
    let comparisons = try GenerationPair.all(generations, context.input("baseline"))
    guard !comparisons.isEmpty else {
      throw InputError(
        "\(generations.path): no row has a generation and one at `baseline`, \(context.input("baseline").path); rows are paired by `id`"
      )
    }
    let judge = Judge(template: template, words: words, maxNewTokens: maxNewTokens)
    let questions = comparisons.indices.flatMap { index in
      orders(of: comparisons[index]).flatMap { swaps in
        (0..<repetitions).map { Judge.Question(comparison: index, swaps: swaps, repetition: $0) }
      }
    }
    let judged = try judge.verdicts(comparisons, questions, context)
    var outcomes = [[Double]](repeating: [], count: comparisons.count)
    var (ties, unparsable, first, preferring) = (0, 0, 0, 0)
    for (question, verdict) in zip(questions, judged.verdicts) {
      switch verdict {
      case nil: break
      case .unreadable?: unparsable += 1
      case .tie?:
        ties += 1
        outcomes[question.comparison].append(0.5)
      case .first?, .second?:
        preferring += 1
        if verdict == .first { first += 1 }
        outcomes[question.comparison].append((verdict == .first) != question.swaps ? 1 : 0)
      }
    }
    let means = outcomes.map { $0.isEmpty ? nil : $0.reduce(0, +) / Double($0.count) }
    context.leaveOut(means.count { $0 == nil }, "comparisons without a verdict")
    context.leaveOut(judged.tooLong, "questions that are too long")
    context.cut(judged.cut, "questions")
    let rate = ClusteredMean(GenerationPair.byRow(comparisons, means))
    let judgedPairs = zip(comparisons, means).compactMap { pair, mean in mean.map { (pair, $0) } }
    let controlled = LengthControl.rate(
      judgedPairs.map(\.1), lengthDifferences: judgedPairs.map { Double($0.0.words - $0.0.baselineWords) })
    func mean(_ numbers: [Int]) -> JSON { .double(Double(numbers.reduce(0, +)) / Double(numbers.count)) }
    let losses = LengthPolicy.lossNames(of: Self.name, context.options.json)
    let lost = PromptOptions(context.options).length.overflow == .cut ? judged.cut : judged.tooLong
    let agreement = repetitions > 1 ? JudgeAgreement(outcomes) : nil
    let agreements: [JSON] =
      repetitions == 1
      ? [] : [agreement?.agreement, agreement?.kappa].map { $0.map { .double($0) } ?? .null }
    return try MeanNumbers.values(of: rate, context) + [
      controlled.map { .double($0) } ?? .null, .int(Int64(judgedPairs.count)), .int(Int64(ties)),
      .int(Int64(unparsable)), preferring == 0 ? .null : .double(Double(first) / Double(preferring)),
      mean(comparisons.map(\.words)), mean(comparisons.map(\.baselineWords)),
    ] + agreements + losses.map { _ in .int(Int64(lost)) }
  }

  /// Whether the baseline's generation is shown first, for each question of a comparison.
  private func orders(of comparison: GenerationPair) -> [Bool] {
    if order == .both { return [false, true] }
    let number = randomNumber(seed: seed, .orderReplies, id: comparison.row.id, element: comparison.sample)
    return [number & 1 == 1]
  }
}
