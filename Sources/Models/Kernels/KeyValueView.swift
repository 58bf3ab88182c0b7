// How attention finds keys and values: pages of positions, lists of pages, and the queries that look there.

/// Where one layer's keys and values lie in a page.
package struct KeyValueLayout: Sendable, Equatable {
  /// Positions of a page.
  package static let pageLength = 32

  package let heads: Int
  /// Elements from one position to the next.
  package let stride: Int
  /// Bytes from the start of a layer's part of a page to its values; its keys come first.
  package let valueOffset: Int
  /// Bytes from one layer's part of a page to the next layer's.
  package let layerStride: Int
  package let type: ElementType
}

/// The pages of one sequence in the order of its positions. Made by a backend; a page that was appended stays where it is.
package protocol PageList: AnyObject {
  /// - Parameter page: from where the page begins.
  func append(_ page: Tensor)
}

/// A token of a forward pass: it sees the positions up to its own of the sequence in list `list`, and stores its key and value at
/// its own.
package struct KeyValueQuery: Sendable, Equatable {
  package let list: Int32
  package let position: Int32
}

/// The keys and values that the tokens of a forward pass see, and where theirs go. Made by a backend once a pass, for all layers.
package protocol KeyValueView: AnyObject {
  /// Of each token.
  var positions: [Int32] { get }
  /// The view of some of its tokens.
  func rows(_ rows: [Int32]) -> any KeyValueView
}
