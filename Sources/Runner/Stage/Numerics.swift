// Whose arithmetic a stage's results come from, as far as their bits depend on it.

/// What a stage computes with: part of its content keys, beside the numeric mode.
public struct Numerics: Sendable, Equatable {
  /// Names the devices that give the same bits, such as `cpu`.
  public let deviceClass: String
  /// Raised when the bits of the arithmetic change.
  public let version: Int

  public init(deviceClass: String, version: Int) {
    self.deviceClass = deviceClass
    self.version = version
  }
}
