// The paged key-value cache: fixed pages of 32 positions over all layers, shared by counting their users.

import CKernels

/// A page is out of reach: the memory given to the engine cannot hold what one sequence needs.
package struct CacheExhausted: Error, Sendable, CustomStringConvertible {
  let wantedBytes: Int
  let capacityBytes: Int
  package var description: String {
    "one sequence needs \(wantedBytes >> 20) MiB of key-value cache, `engine.memory` allows \(capacityBytes >> 20) MiB; raise `engine.memory` of the stage"
  }
}

/// Pages of [layers, 2, 32, kv heads * D] in the cache type.
final class PagePool {
  static let pageLength = Int(PK_PAGE)
  let pageBytes: Int
  let capacity: Int
  let layout: pk_kv_layout
  let layerStride: Int
  private var pages: [Buffer] = []
  private var free: [Int] = []
  private var users: [Int] = []
  /// Pages that admitted sequences may still ask for.
  private(set) var reserved = 0

  init(_ configuration: DecoderConfiguration, mode: NumericMode, memory: Int) {
    let row = configuration.keyValueHeadCount * configuration.headDimension
    let rowBytes = row * mode.operandType.byteCount
    layerStride = 2 * Self.pageLength * rowBytes
    pageBytes = configuration.layerCount * layerStride
    capacity = memory / pageBytes
    layout = pk_kv_layout(
      kv_heads: configuration.keyValueHeadCount, kv_stride: row, key_offset: 0,
      value_offset: Self.pageLength * rowBytes, type: mode.operandType.kernelType)
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
    pages.append(Buffer(byteCount: pageBytes))
    users.append(1)
    return pages.count - 1
  }

  func retain(_ index: Int) { users[index] += 1 }

  func release(_ index: Int) {
    users[index] -= 1
    if users[index] == 0 { free.append(index) }
  }

  func pointer(_ index: Int) -> UnsafeMutableRawPointer { pages[index].pointer }
}

/// The pages of one sequence, the number of positions filled, and what it may still take.
final class CachedSequence {
  let pool: PagePool
  let list: PageList
  private(set) var pages: [Int] = []
  private(set) var length = 0
  private var allowance: Int

  /// Nil when the pool cannot promise `positions` positions beyond those shared with `prefix`, of which the
  /// first `shared` positions are taken over: whole pages by sharing, a part-filled one by copying.
  init?(_ pool: PagePool, positions: Int, sharing prefix: CachedSequence? = nil, first shared: Int = 0) {
    let whole = shared / PagePool.pageLength
    let total = PagePool.pageCount(max(positions, 1))
    guard pool.reserve(total - whole) else { return nil }
    self.pool = pool
    allowance = total - whole
    list = PageList([], capacity: total)
    guard let prefix else { return }
    precondition(shared <= prefix.length, "shares \(shared) of \(prefix.length) positions")
    for page in prefix.pages[0..<whole] {
      pool.retain(page)
      pages.append(page)
      list.append(pool.pointer(page))
    }
    length = whole * PagePool.pageLength
    if shared > length {
      extend(to: shared)
      pool.pointer(pages[whole]).copyMemory(
        from: pool.pointer(prefix.pages[whole]), byteCount: pool.pageBytes)
    }
  }

  /// Makes room for positions up to `newLength`.
  func extend(to newLength: Int) {
    while pages.count < PagePool.pageCount(newLength) {
      allowance -= 1
      let page = pool.take()
      pages.append(page)
      list.append(pool.pointer(page))
    }
    length = max(length, newLength)
  }

  /// Forgets positions from `newLength` on; their pages stay.
  func shorten(to newLength: Int) {
    precondition(newLength <= length, "\(length) positions cannot be shortened to \(newLength)")
    length = newLength
  }

  deinit {
    for page in pages { pool.release(page) }
    pool.release(reserved: allowance)
  }
}

/// Tokens of several sequences side by side, each at its own position, for one forward pass.
struct TokenBatch {
  private(set) var tokens: [Int32] = []
  private var queries: [pk_query] = []
  private var owners: [AnyObject] = []

  /// Appends tokens to a sequence's cache and to this batch; returns their rows in the batch.
  mutating func append(_ new: some Collection<Int32>, to sequence: CachedSequence) -> Range<Int> {
    let start = sequence.length
    sequence.extend(to: start + new.count)
    let first = tokens.count
    for (offset, token) in new.enumerated() {
      tokens.append(token)
      queries.append(pk_query(pages: sequence.list.pointer, position: Int32(start + offset)))
    }
    owners.append(sequence)
    return first..<tokens.count
  }

  /// The batch in parts of at most `count` tokens, and the rows that they are; later ones see what earlier ones stored.
  func pieces(of count: Int) -> [(rows: Range<Int>, batch: TokenBatch)] {
    stride(from: 0, to: tokens.count, by: count).map { start in
      let rows = start..<min(start + count, tokens.count)
      var piece = self
      piece.tokens = Array(tokens[rows])
      piece.queries = Array(queries[rows])
      return (rows, piece)
    }
  }

  func view(_ pool: PagePool) -> KeyValueView {
    KeyValueView(queries: queries, owners: owners, layout: pool.layout, layerStride: pool.layerStride)
  }
}
