// The fp32 weights of a decoder under the names of its layout: what training changes and what is written.

/// Named fp32 tensors in the order in which they are written. Vectors are [1, C].
package struct Parameters: Sendable {
  package let names: [String]
  package let shapes: [String: [Int]]
  private let tensors: [String: Tensor]
  private let interleavings: [String: HeadInterleaving]
  /// Holds the tensors.
  let backend: any Backend

  /// Reads every tensor the configuration asks for.
  /// - Throws: what the source throws for a missing, misshapen or unreadable tensor.
  package init(_ configuration: DecoderConfiguration, from source: any TensorSource, on backend: any Backend)
    throws
  {
    var tensors: [String: Tensor] = [:]
    var shapes: [String: [Int]] = [:]
    var interleavings: [String: HeadInterleaving] = [:]
    let layout = configuration.layout
    for tensor in layout.tensors {
      tensors[tensor.name] = try Self.read(
        tensor.name, tensor.shape, interleaving: tensor.interleaving, from: source, on: backend)
      shapes[tensor.name] = tensor.shape
      interleavings[tensor.name] = tensor.interleaving
    }
    self.tensors = tensors
    self.shapes = shapes
    self.interleavings = interleavings
    self.backend = backend
    names = layout.names
  }

  /// All zeros, for gradients and moments of the named tensors of `other`.
  package init(zerosLike other: Parameters, names: [String]) {
    self.names = names
    shapes = other.shapes
    interleavings = other.interleavings
    var tensors: [String: Tensor] = [:]
    for name in names { tensors[name] = other.backend.tensor(other[name].rows, other[name].columns) }
    self.tensors = tensors
    backend = other.backend
  }

  private init(
    names: [String], shapes: [String: [Int]], tensors: [String: Tensor],
    interleavings: [String: HeadInterleaving], on backend: any Backend
  ) {
    self.backend = backend
    self.names = names
    self.shapes = shapes
    self.tensors = tensors
    self.interleavings = interleavings
  }

  /// With tensors of the same ranks, and maybe other sizes, in the place of some.
  func replacing(_ replaced: [String: Tensor]) -> Parameters {
    let newShapes = replaced.map { name, tensor in
      (name, shapes[name]?.count == 1 ? [tensor.columns] : [tensor.rows, tensor.columns])
    }
    return Parameters(
      names: names, shapes: shapes.merging(newShapes) { $1 }, tensors: tensors.merging(replaced) { $1 },
      interleavings: interleavings, on: backend)
  }

  /// The tensors that a layout has: those of these parameters, and new ones.
  func adapted(to layout: ParameterLayout, new: [String: Tensor]) -> Parameters {
    var tensors = new
    for name in layout.names where tensors[name] == nil { tensors[name] = self[name] }
    return Parameters(
      names: layout.names,
      shapes: Dictionary(uniqueKeysWithValues: layout.tensors.map { ($0.name, $0.shape) }), tensors: tensors,
      interleavings: interleavings, on: backend)
  }

  static func read(
    _ name: String, _ shape: [Int], interleaving: HeadInterleaving? = nil, from source: any TensorSource,
    on backend: any Backend
  ) throws -> Tensor {
    let tensor = shape.count == 1 ? backend.tensor(1, shape[0]) : backend.tensor(shape[0], shape[1])
    try tensor.withHostWrite { memory in
      guard let interleaving else {
        try source.readFloats(name, into: memory)
        return
      }
      let file = try [Float](unsafeUninitializedCapacity: memory.count) { file, count in
        count = memory.count
        try source.readFloats(name, into: UnsafeMutableBufferPointer(rebasing: file[..<count]))
      }
      interleaving.arrange(file, into: memory)
    }
    return tensor
  }

  package subscript(name: String) -> Tensor {
    guard let tensor = tensors[name] else { preconditionFailure("no parameter `\(name)`") }
    return tensor
  }

  /// The tensors as they are written to a file, fp32, each under its name after `prefix`.
  package func outputs(of names: [String]? = nil, prefix: String = "") -> [SafeTensorsOutput] {
    (names ?? self.names).map { name in
      let (tensor, interleaving) = (self[name], interleavings[name])
      return SafeTensorsOutput(name: prefix + name, shape: shapes[name] ?? [], dtype: .f32) { emit in
        try tensor.withHostRead { memory in
          guard let interleaving else {
            try emit(UnsafeRawBufferPointer(memory))
            return
          }
          try interleaving.forEachPiece(of: memory) { try emit(UnsafeRawBufferPointer($0)) }
        }
      }
    }
  }

  /// A copy of a tensor's numbers, in the order of a file.
  package func stored(_ name: String) -> [Float] {
    guard let interleaving = interleavings[name] else { return self[name].read() }
    var file: [Float] = []
    self[name].withHostRead { memory in interleaving.forEachPiece(of: memory) { file += $0 } }
    return file
  }

  /// The first tensor with numbers that are NaN or infinite, and how many. One pass over all.
  package func firstNonFinite() -> (name: String, count: Int)? {
    // A sum of squares of finite fp32 numbers is finite in double precision.
    names.first { !backend.sumOfSquares(self[$0]).isFinite }.map {
      ($0, self[$0].withHostRead(countNonFinite))
    }
  }

  package func contains(_ name: String) -> Bool { tensors[name] != nil }
}
