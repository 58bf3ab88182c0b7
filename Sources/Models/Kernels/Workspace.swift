// Memory for intermediate results, kept between calls so that a step allocates nothing.

/// Named tensors whose buffers grow when a call needs more. Contents do not survive the next call that asks
/// for the same name. One computation at a time.
package final class Workspace {
  let backend: any Backend
  private var buffers: [String: Tensor] = [:]

  package init(_ backend: any Backend) { self.backend = backend }

  var byteCount: Int { buffers.values.reduce(0) { $0 + $1.buffer.byteCount } }

  /// A tensor of this shape; its contents are whatever was there.
  package func tensor(_ name: String, _ rows: Int, _ columns: Int, _ type: ElementType = .float32) -> Tensor {
    if let held = buffers[name], held.columns == columns, held.type == type, held.rows >= rows {
      return held.slice(0..<rows)
    }
    let tensor = backend.tensor(max(rows, 1), columns, type)
    buffers[name] = tensor
    return tensor.slice(0..<rows)
  }
}
