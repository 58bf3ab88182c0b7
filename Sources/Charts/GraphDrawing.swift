// A graph without cycles from left to right, and edges that go back around it.

import System

package struct GraphDrawing: Drawing {
  package struct Node: Sendable {
    package let name: String
    /// Below the name.
    package let note: String
    /// Nodes of one group stand in one frame; nil for none.
    package let group: String?

    package init(_ name: String, note: String, group: String? = nil) {
      self.name = name
      self.note = note
      self.group = group
    }
  }

  package struct Edge: Sendable, Hashable {
    package let from: Int
    package let to: Int
    /// Goes to the next iteration, and takes no part in the order.
    package let isCarried: Bool

    package init(from: Int, to: Int, isCarried: Bool = false) {
      (self.from, self.to) = (from, to)
      self.isCarried = isCarried
    }
  }

  private static let nodeHeight = 38.0
  private static let gap = (x: 34.0, y: 14.0)

  private let nodes: [Node]
  private let edges: [Edge]
  private let places: [(x: Double, y: Double, width: Double)]
  package let size: (width: Double, height: Double)

  /// - Parameter edges: those that are not carried make no cycle.
  package init(_ nodes: [Node], _ edges: [Edge]) {
    self.nodes = nodes
    self.edges = edges
    let columns = Self.columns(nodes, edges)
    let widths = columns.map { column in
      (column.map { max(Markup.width(nodes[$0].name), Markup.width(nodes[$0].note)) }.max() ?? 0) + 20
    }
    let most = columns.map(\.count).max() ?? 0
    let height = Double(most) * (Self.nodeHeight + Self.gap.y)
    var places = [(x: Double, y: Double, width: Double)](repeating: (0, 0, 0), count: nodes.count)
    var x = 14.0
    for (column, width) in zip(columns, widths) {
      let top = 14 + (height - Double(column.count) * (Self.nodeHeight + Self.gap.y)) / 2
      for (row, node) in column.enumerated() {
        places[node] = (x, top + Double(row) * (Self.nodeHeight + Self.gap.y), width)
      }
      x += width + Self.gap.x
    }
    self.places = places
    size = (max(120, x - Self.gap.x + 14), height + 14 + (edges.contains(where: \.isCarried) ? 34 : 6))
  }

  package var description: String { "graph of \(nodes.count) stages" }

  /// Each node in the column after the last one that it needs; in a column by the mean place of what it needs, several times over.
  private static func columns(_ nodes: [Node], _ edges: [Edge]) -> [[Int]] {
    let needs = nodes.indices.map { node in edges.filter { !$0.isCarried && $0.to == node }.map(\.from) }
    let uses = nodes.indices.map { node in edges.filter { !$0.isCarried && $0.from == node }.map(\.to) }
    var depth = [Int](repeating: 0, count: nodes.count)
    // As many rounds as the longest way has nodes; a cycle, which there is none, would end too.
    for _ in nodes.indices {
      let deeper = nodes.indices.map { node in (needs[node].map { depth[$0] + 1 }).max() ?? 0 }
      if deeper == depth { break }
      depth = deeper.map { min($0, nodes.count) }
    }
    // What needs nothing stands just before its first use.
    for node in nodes.indices where needs[node].isEmpty {
      if let first = uses[node].map({ depth[$0] }).min() { depth[node] = max(0, first - 1) }
    }
    var columns = [[Int]](repeating: [], count: (depth.max() ?? -1) + 1)
    for node in nodes.indices { columns[depth[node]].append(node) }
    columns.removeAll(where: \.isEmpty)
    for round in 0..<6 {
      var rank = [Double](repeating: 0, count: nodes.count)
      for column in columns {
        for (row, node) in column.enumerated() { rank[node] = Double(row) - Double(column.count) / 2 }
      }
      let neighbours = round % 2 == 0 ? needs : uses
      columns = columns.map { column in
        let keyed = column.enumerated().map { row, node -> (mean: Double, row: Int, node: Int) in
          let ranks = neighbours[node].map { rank[$0] }
          return (ranks.isEmpty ? rank[node] : ranks.reduce(0, +) / Double(ranks.count), row, node)
        }
        return keyed.sorted { $0.mean == $1.mean ? $0.row < $1.row : $0.mean < $1.mean }.map(\.node)
      }
    }
    return columns
  }

  package func draw(into svg: inout Markup) {
    let number = Markup.number
    let bottom = size.height - 20
    for edge in edges {
      let (from, to) = (places[edge.from], places[edge.to])
      let (x, y) = (from.x + from.width, from.y + Self.nodeHeight / 2)
      let (toX, toY) = (to.x, to.y + Self.nodeHeight / 2)
      let path: String
      if edge.isCarried {
        path =
          "M\(number(x)) \(number(y))C\(number(x + 30)) \(number(bottom + 14)) \(number(toX - 30)) \(number(bottom + 14)) \(number(toX)) \(number(toY))"
      } else {
        let bend = max(16, (toX - x) / 2)
        path =
          "M\(number(x)) \(number(y))C\(number(x + bend)) \(number(y)) \(number(toX - bend)) \(number(toY)) \(number(toX)) \(number(toY))"
      }
      svg.element("path", [("d", path), ("class", edge.isCarried ? "carried" : "edge")])
      svg.element("circle", [("cx", number(toX)), ("cy", number(toY)), ("r", "2.5"), ("class", "axis")])
    }
    let groups = Array(Set(nodes.compactMap(\.group))).sorted()
    for (node, place) in zip(nodes, places) {
      var attributes = [("class", "node"), ("rx", "5")]
      if let group = node.group.flatMap({ groups.firstIndex(of: $0) }) {
        attributes.append(("style", "stroke:\(Palette.color(group));stroke-width:2"))
      }
      svg.box(place.x, place.y, place.width, Self.nodeHeight, attributes, tip: "\(node.name) · \(node.note)")
      svg.label(node.name, place.x + place.width / 2, place.y + 16, .middle)
      svg.label(node.note, place.x + place.width / 2, place.y + 31, .middle, kind: "quiet")
    }
    svg.legend(groups, 14, size.height - 4, width: min(size.width - 28, 480))
  }
}
