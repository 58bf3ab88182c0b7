// The functions and types that a pickle of tensors may name. None is called: each is a case that is understood.

/// The type of a tensor's numbers.
struct PyTorchType: Equatable {
  /// As safetensors calls it: `F32`.
  let name: String
  let byteCount: Int
  /// The name of the storage's type, where it has one of its own.
  let storage: String?
  /// The name of the type in `torch`.
  let dtype: String

  /// Source: `torch/storage.py` `_dtype_to_storage_type_map`. Those without a storage type are written by `_rebuild_tensor_v3`.
  static let known: [PyTorchType] = [
    PyTorchType("F64", 8, "DoubleStorage", "float64"), PyTorchType("F32", 4, "FloatStorage", "float32"),
    PyTorchType("F16", 2, "HalfStorage", "float16"), PyTorchType("BF16", 2, "BFloat16Storage", "bfloat16"),
    PyTorchType("I64", 8, "LongStorage", "int64"), PyTorchType("I32", 4, "IntStorage", "int32"),
    PyTorchType("I16", 2, "ShortStorage", "int16"), PyTorchType("I8", 1, "CharStorage", "int8"),
    PyTorchType("U8", 1, "ByteStorage", "uint8"), PyTorchType("BOOL", 1, "BoolStorage", "bool"),
    PyTorchType("U16", 2, nil, "uint16"), PyTorchType("U32", 4, nil, "uint32"),
    PyTorchType("U64", 8, nil, "uint64"), PyTorchType("F8_E4M3", 1, nil, "float8_e4m3fn"),
    PyTorchType("F8_E5M2", 1, nil, "float8_e5m2"),
  ]

  private init(_ name: String, _ byteCount: Int, _ storage: String?, _ dtype: String) {
    self.name = name
    self.byteCount = byteCount
    self.storage = storage
    self.dtype = dtype
  }
}

enum PyTorchGlobal {
  case orderedDictionary
  /// Source: `torch/_utils.py`. The three differ in their arguments after storage, offset, shape and strides.
  case rebuildTensor, rebuildTensorV2, rebuildTensorV3
  case rebuildParameter, rebuildParameterWithState
  /// Nil: a storage of bytes, whose type its tensor names.
  case storage(PyTorchType?)
  case dtype(PyTorchType)

  /// Nil for every other name.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorV2
    case ("torch._utils", "_rebuild_tensor_v3"): self = .rebuildTensorV3
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch._utils", "_rebuild_parameter_with_state"): self = .rebuildParameterWithState
    case ("torch", "UntypedStorage"), ("torch.storage", "UntypedStorage"): self = .storage(nil)
    case ("torch", _):
      if let type = PyTorchType.known.first(where: { $0.storage == name }) {
        self = .storage(type)
      } else if let type = PyTorchType.known.first(where: { $0.dtype == name }) {
        self = .dtype(type)
      } else {
        return nil
      }
    default: return nil
    }
  }
}
