// Which columns rows have, as far as the plan can know.

import JSON

/// Columns of a rows artifact. Rows that come from outside the experiment may hold more than is declared.
struct Columns {
  var names: Set<UTF8Key>
  /// Those with one entry a sample.
  var samples: Set<UTF8Key> = []
  var isOpen: Bool

  func contains(_ name: String) -> Bool { names.contains(UTF8Key(name)) }

  /// What every row has when these rows and those come together.
  func common(with others: Columns) -> Columns {
    Columns(
      names: names.intersection(others.names), samples: samples.union(others.samples),
      isOpen: isOpen || others.isOpen)
  }

  /// The columns of an output, given those of the stage's rows inputs.
  static func of(_ output: OutputPort, _ declaration: StageDeclaration, inputs: [UTF8Key: Columns]) -> Columns
  {
    var columns = Columns(names: [UTF8Key("id")], isOpen: false)
    if let port = output.passesThrough, let input = inputs[UTF8Key(port)] {
      columns = input
      if output.hasOtherColumns == true { columns.isOpen = true }
    } else {
      columns.isOpen = output.hasOtherColumns ?? !declaration.inputs.contains { $0.type == .rows }
    }
    if output.replacesSamples {
      columns.names.subtract(columns.samples)
      columns.samples = []
    }
    for name in output.columns { columns.names.insert(UTF8Key(name)) }
    for name in output.samples {
      columns.names.insert(UTF8Key(name))
      columns.samples.insert(UTF8Key(name))
    }
    return columns
  }
}
