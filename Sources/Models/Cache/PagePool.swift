// The memory of the paged key-value cache: fixed pages of 32 positions over all layers, shared by counting their users.

/// A page is out of reach: the memory given to the engine cannot hold what one sequence needs.
package struct CacheExhausted: Error, Sendable, CustomStringConvertible {
  let wantedBytes: Int
  let capacityBytes: Int
  package var description: String {
    "one sequence needs \(wantedBytes >> 20) MiB of key-value cache, `engine.memory` allows \(capacityBytes >> 20) MiB; raise `engine.memory` of the stage"
  }
}

/// What a model keeps of one token for its attention: `heads` keys and as many values of each layer.
package struct KeyValueShape: Sendable, Equatable {
  package let layers: Int
  package let heads: Int
  package let headDimension: Int
  package let type: ElementType

  /// Elements of one layer's keys, or values, of a position.
  var row: Int { heads * headDimension }

  /// Of memory [layers, 2, positions, row].
  func layout(positions: Int) -> KeyValueLayout {
    let bytes = positions * row * type.byteCount
    return KeyValueLayout(heads: heads, stride: row, valueOffset: bytes, layerStride: 2 * bytes, type: type)
  }
}

/// Pages of [layers, 2, 32, kv heads * D] in the cache type.
final class PagePool {
  static let pageLength = KeyValueLayout.pageLength
  let backend: any Backend
  let pageBytes: Int
  let capacity: Int
  let layout: KeyValueLayout
  private let shape: KeyValueShape
  private var pages: [Tensor] = []
  private var free: [Int] = []
  private var users: [Int] = []
  /// Pages that admitted sequences may still ask for.
  private(set) var reserved = 0

  init(_ shape: KeyValueShape, on backend: any Backend, memory: Int) {
    self.backend = backend
    self.shape = shape
    layout = shape.layout(positions: Self.pageLength)
    pageBytes = shape.layers * layout.layerStride
    capacity = memory / pageBytes
  }

  static func pageCount(_ positions: Int) -> Int { (positions + pageLength - 1) / pageLength }

  /// Sets pages aside so that an admitted sequence never lacks one. False when they are not there.
  func reserve(_ count: Int) -> Bool {
    guard pages.count - free.count + reserved + count <= capacity else { return false }
    reserved += count
    return true
  }

  /// Gives back reserved pages that were not taken.
  func release(reserved count: Int) { reserved -= count }

  /// Takes one of the reserved pages.
  func take() -> Int {
    precondition(reserved > 0, "a page is taken without having been reserved")
    reserved -= 1
    if let index = free.popLast() {
      users[index] = 1
      return index
    }
    pages.append(backend.tensor(shape.layers * 2 * Self.pageLength, shape.row, shape.type))
    users.append(1)
    return pages.count - 1
  }

  func retain(_ index: Int) { users[index] += 1 }

  func release(_ index: Int) {
    users[index] -= 1
    if users[index] == 0 { free.append(index) }
  }

  func page(_ index: Int) -> Tensor { pages[index] }
}
