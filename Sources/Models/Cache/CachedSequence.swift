// One sequence in the paged cache.

/// The pages of one sequence, the number of positions filled, and what it may still take.
final class CachedSequence {
  let pool: PagePool
  let list: any PageList
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
    list = pool.backend.pageList(capacity: total)
    guard let prefix else { return }
    precondition(shared <= prefix.length, "shares \(shared) of \(prefix.length) positions")
    for page in prefix.pages[0..<whole] {
      pool.retain(page)
      pages.append(page)
      list.append(pool.page(page))
    }
    length = whole * PagePool.pageLength
    if shared > length {
      extend(to: shared)
      pool.backend.copy(pool.page(prefix.pages[whole]), into: pool.page(pages[whole]))
    }
  }

  /// Makes room for positions up to `newLength`.
  func extend(to newLength: Int) {
    while pages.count < PagePool.pageCount(newLength) {
      allowance -= 1
      let page = pool.take()
      pages.append(page)
      list.append(pool.page(page))
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
