// Parameters that the optimizer treats alike.

/// Tensors, or rows of them, with a learning rate of their own. Trainable parameters of no group learn at the common rate.
package struct ParameterGroup: Sendable {
  /// A tensor, or some of its rows.
  package struct Member: Sendable {
    let name: String
    /// Nil for all.
    let rows: Range<Int>?

    package init(_ name: String, rows: Range<Int>? = nil) {
      self.name = name
      self.rows = rows
    }
  }

  let members: [Member]
  /// Multiplies the common rate.
  let learningRateFactor: Double

  package init(_ members: [Member], learningRateFactor: Double) {
    self.members = members
    self.learningRateFactor = learningRateFactor
  }
}

/// Neighbouring rows of a tensor that are updated together.
struct UpdatedRows {
  let name: String
  let rows: Range<Int>
  let learningRateFactor: Double

  /// Every row of the trainable tensors once, tensor by tensor.
  /// - Precondition: members are of trainable tensors, and no two overlap.
  static func all(of trainable: [String], in parameters: Parameters, _ groups: [ParameterGroup])
    -> [UpdatedRows]
  {
    var own: [String: [UpdatedRows]] = [:]
    for group in groups {
      for member in group.members {
        precondition(trainable.contains(member.name), "`\(member.name)` does not train")
        own[member.name, default: []].append(
          UpdatedRows(
            name: member.name, rows: member.rows ?? 0..<parameters[member.name].rows,
            learningRateFactor: group.learningRateFactor))
      }
    }
    return trainable.flatMap { name in
      let count = parameters[name].rows
      var result: [UpdatedRows] = []
      var next = 0
      func addCommon(upTo end: Int) {
        if end > next { result.append(UpdatedRows(name: name, rows: next..<end, learningRateFactor: 1)) }
      }
      for part in (own[name] ?? []).sorted(by: { $0.rows.lowerBound < $1.rows.lowerBound }) {
        precondition(
          part.rows.lowerBound >= next && part.rows.upperBound <= count,
          "rows \(part.rows) of `\(name)` are in two groups, or beyond its \(count)")
        addCommon(upTo: part.rows.lowerBound)
        result.append(part)
        next = part.rows.upperBound
      }
      addCommon(upTo: count)
      return result
    }
  }
}
