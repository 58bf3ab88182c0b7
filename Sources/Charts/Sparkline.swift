// A curve in a word: one block for each number.

package enum Sparkline {
  private static let blocks = Array("▁▂▃▄▅▆▇█")

  /// Of more numbers than columns the means of equal parts. Empty for fewer than two numbers that are finite.
  package static func text(_ values: [Double], columns: Int = 24) -> String {
    let finite = values.filter(\.isFinite)
    guard finite.count > 1, let least = finite.min(), let most = finite.max() else { return "" }
    let count = min(columns, finite.count)
    let means = (0..<count).map { part -> Double in
      let range = finite[(part * finite.count / count)..<((part + 1) * finite.count / count)]
      return range.reduce(0, +) / Double(range.count)
    }
    return String(
      means.map { mean in
        most == least ? blocks[3] : blocks[min(7, max(0, Int((mean - least) / (most - least) * 7.999)))]
      })
  }
}
