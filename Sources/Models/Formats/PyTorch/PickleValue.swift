// What a pickle may hold here: plain values, containers by their place in the machine, tensors. No code, no other object.

/// A value on the machine's stack. Containers are places in its lists, so that values that hold each other cost no more than
/// they were written with, however deep they lie.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  /// UTF-8, where it lies in the file.
  case string(Range<Int>)
  /// Where its elements lie in `PickleMachine.elements`.
  case tuple(Range<Int>)
  /// A place in `PickleMachine.lists`.
  case list(Int)
  /// A place in `PickleMachine.dictionaries`.
  case dictionary(Int)
  case global(PyTorchGlobal)
  /// A place in `PyTorchObjects.storages`.
  case storage(Int)
  /// A place in `PyTorchObjects.tensors`.
  case tensor(Int)

  /// In the words of a message.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .global: "a function or type"
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }
}
