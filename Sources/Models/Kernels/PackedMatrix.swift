// The right operand of a product, as a backend lays it out.

/// Made by a backend's `pack` and taken by its products alone.
package protocol PackedMatrix: AnyObject, Sendable {
  var columns: Int { get }
}
