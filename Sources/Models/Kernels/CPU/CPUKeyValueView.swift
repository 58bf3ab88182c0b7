// Keys and values on pages as CKernels reads them: by address.

import CKernels

/// Page addresses of one sequence at an address that stays.
final class CPUPageList: PageList {
  private let storage: UnsafeMutableBufferPointer<UnsafeRawPointer?>
  /// Whose addresses these are.
  private var pages: [Tensor] = []

  init(capacity: Int) {
    storage = .allocate(capacity: max(capacity, 1))
    storage.initialize(repeating: nil)
  }

  deinit { storage.deallocate() }

  func append(_ page: Tensor) {
    precondition(pages.count < storage.count, "page list of \(storage.count) is full")
    storage[pages.count] = UnsafeRawPointer(page.cpuPointer)
    pages.append(page)
  }

  /// While the list lives.
  var pointer: UnsafePointer<UnsafeRawPointer?> {
    guard let base = storage.baseAddress else { preconditionFailure("an allocated buffer has an address") }
    return UnsafePointer(base)
  }
}

final class CPUKeyValueView: KeyValueView {
  let queries: [pk_query]
  /// What `queries` points into.
  private let lists: [any PageList]
  private let layout: KeyValueLayout

  init(_ queries: [KeyValueQuery], of lists: [any PageList], layout: KeyValueLayout) {
    precondition(KeyValueLayout.pageLength == Int(PK_PAGE), "pages of \(PK_PAGE) positions")
    let pointers = lists.map { list in
      guard let list = list as? CPUPageList else { preconditionFailure("a page list of another device") }
      return list.pointer
    }
    self.queries = queries.map { pk_query(pages: pointers[Int($0.list)], position: $0.position) }
    self.lists = lists
    self.layout = layout
  }

  private init(queries: [pk_query], of other: CPUKeyValueView) {
    self.queries = queries
    lists = other.lists
    layout = other.layout
  }

  var positions: [Int32] { queries.map(\.position) }

  func rows(_ rows: [Int32]) -> any KeyValueView {
    CPUKeyValueView(queries: rows.map { queries[Int($0)] }, of: self)
  }

  func layout(layer: Int) -> pk_kv_layout {
    let keys = layer * layout.layerStride
    return pk_kv_layout(
      kv_heads: layout.heads, kv_stride: layout.stride, key_offset: keys,
      value_offset: keys + layout.valueOffset, type: layout.type.kernelType)
  }
}
