// Whose arithmetic a stage's results come from, as far as their bits depend on it.

/// What a stage computes with: device class and version are part of its content keys, beside the mode of the node.
public struct Numerics: Sendable, Equatable {
  /// Names the devices that give the same bits, such as `cpu`.
  public let deviceClass: String
  /// Raised when the bits of the arithmetic change.
  public let version: Int
  /// The numeric modes that it can compute in: what `numeric:` may ask for.
  public let modes: [String]

  /// - Precondition: there is a mode.
  public init(deviceClass: String, version: Int, modes: [String]) {
    precondition(!modes.isEmpty, "a stage that computes declares at least one numeric mode")
    self.deviceClass = deviceClass
    self.version = version
    self.modes = modes
  }
}
