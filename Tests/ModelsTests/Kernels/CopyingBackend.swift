// A second device: its memory lies behind a barrier that only copies pass.

import Glibc
import Models

/// Computes what the CPU's kernels compute, on copies of its buffers that live for one operation. Nothing that the host can hold
/// points into a buffer: what goes around transfers and operations faults, or is refused.
struct CopyingBackend: Backend {
  static let deviceClass = "copying"
  static let numericsVersion = 1
  static let instructionSet = "copies"

  private let cpu: CPUBackend

  init(threads: Int) { cpu = CPUBackend(threads: threads) }

  func allocate(byteCount: Int) -> any DeviceBuffer { HiddenBuffer(byteCount: byteCount) }

  /// Runs an operation of the CPU on copies, and copies back those that it writes.
  private func onCopies<Result>(_ body: (Copies) -> Result) -> Result {
    let copies = Copies(cpu)
    defer { copies.copyBack() }
    return body(copies)
  }

  func copy(_ source: Tensor, into target: Tensor) {
    onCopies { cpu.copy($0.read(source), into: $0.written(target)) }
  }
  func fill(_ x: Tensor, with value: Float) { onCopies { cpu.fill($0.written(x), with: value) } }
  func elements(of x: Tensor, at places: [Int]) -> [Float] {
    onCopies { cpu.elements(of: $0.read(x), at: places) }
  }

  func pack(_ matrix: Tensor, as type: ElementType, over old: (any PackedMatrix)?) -> any PackedMatrix {
    onCopies { HiddenMatrix(cpu.pack($0.read(matrix), as: type, over: old.map(HiddenMatrix.inner))) }
  }
  func pack(_ matrix: Tensor, as type: ElementType, in workspace: Workspace) -> any PackedMatrix {
    onCopies { HiddenMatrix(cpu.pack($0.read(matrix), as: type, in: Workspace(cpu))) }
  }
  func pack(_ matrix: BlockMatrix) -> any PackedMatrix { HiddenMatrix(cpu.pack(matrix)) }
  func packTransposed(_ matrix: Tensor, as type: ElementType, over old: (any PackedMatrix)?)
    -> any PackedMatrix
  {
    onCopies {
      HiddenMatrix(cpu.packTransposed($0.read(matrix), as: type, over: old.map(HiddenMatrix.inner)))
    }
  }
  func packRows(_ matrix: Tensor, as type: ElementType, reduction: ReductionBlocks, in workspace: Workspace)
    -> any PackedMatrix
  {
    onCopies {
      HiddenMatrix(cpu.packRows($0.read(matrix), as: type, reduction: reduction, in: Workspace(cpu)))
    }
  }
  func multiply(_ a: Tensor, _ b: any PackedMatrix, bias: Tensor?, into out: Tensor, accumulate: Bool) {
    onCopies {
      cpu.multiply(
        $0.read(a), HiddenMatrix.inner(b), bias: $0.read(bias), into: $0.written(out), accumulate: accumulate)
    }
  }
  func addBiasGradient(_ dy: Tensor, into db: Tensor) {
    onCopies { cpu.addBiasGradient($0.read(dy), into: $0.written(db)) }
  }
  func multiply(
    _ a: Tensor, _ b: any PackedMatrix, bias: Tensor?, into gate: Tensor, activatedBy activation: Activation,
    times up: Tensor?, into gated: Tensor
  ) {
    onCopies {
      cpu.multiply(
        $0.read(a), HiddenMatrix.inner(b), bias: $0.read(bias), into: $0.written(gate),
        activatedBy: activation,
        times: $0.read(up), into: $0.written(gated))
    }
  }
  func multiplyTransposed(_ a: Tensor, _ b: any PackedMatrix, into out: Tensor, accumulate: Bool) {
    onCopies {
      cpu.multiplyTransposed(
        $0.read(a), HiddenMatrix.inner(b), into: $0.written(out), accumulate: accumulate)
    }
  }

  func store(_ x: Tensor, into out: Tensor) { onCopies { cpu.store($0.read(x), into: $0.written(out)) } }
  func add(_ y: Tensor, into x: Tensor) { onCopies { cpu.add($0.read(y), into: $0.written(x)) } }
  func gather(_ table: Tensor, _ ids: [Int32], into out: Tensor) {
    onCopies { cpu.gather($0.read(table), ids, into: $0.written(out)) }
  }
  func scatterAdd(_ rows: Tensor, _ ids: [Int32], into table: Tensor) {
    onCopies { cpu.scatterAdd($0.read(rows), ids, into: $0.written(table)) }
  }
  func rmsNorm(_ x: Tensor, weight: Tensor, epsilon: Float, into out: Tensor, rstd: Tensor?) {
    onCopies {
      cpu.rmsNorm(
        $0.read(x), weight: $0.read(weight), epsilon: epsilon, into: $0.written(out), rstd: $0.written(rstd))
    }
  }
  func rmsNormBackward(
    _ x: Tensor, weight: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor, addToWeight dw: Tensor?
  ) {
    onCopies {
      cpu.rmsNormBackward(
        $0.read(x), weight: $0.read(weight), rstd: $0.read(rstd), dy: $0.read(dy), addTo: $0.written(dx),
        addToWeight: $0.written(dw))
    }
  }
  func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into out: Tensor, mean: Tensor?, rstd: Tensor?
  ) {
    onCopies {
      cpu.layerNorm(
        $0.read(x), weight: $0.read(weight), bias: $0.read(bias), epsilon: epsilon, into: $0.written(out),
        mean: $0.written(mean), rstd: $0.written(rstd))
    }
  }
  func layerNormBackward(
    _ x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor, dy: Tensor, addTo dx: Tensor,
    addToWeight dw: Tensor?, addToBias db: Tensor?
  ) {
    onCopies {
      cpu.layerNormBackward(
        $0.read(x), weight: $0.read(weight), mean: $0.read(mean), rstd: $0.read(rstd), dy: $0.read(dy),
        addTo: $0.written(dx), addToWeight: $0.written(dw), addToBias: $0.written(db))
    }
  }
  func activate(_ gate: Tensor, _ up: Tensor?, by activation: Activation, into out: Tensor) {
    onCopies { cpu.activate($0.read(gate), $0.read(up), by: activation, into: $0.written(out)) }
  }
  func activateBackward(_ gate: Tensor, _ up: Tensor?, by activation: Activation, dout: Tensor) {
    onCopies {
      cpu.activateBackward($0.written(gate), $0.written(up), by: activation, dout: $0.read(dout))
    }
  }

  func rotaryAngles(base: Double, from first: Int, cosine: Tensor, sine: Tensor) {
    onCopies { cpu.rotaryAngles(base: base, from: first, cosine: $0.written(cosine), sine: $0.written(sine)) }
  }
  func pageList(capacity: Int) -> any PageList { HiddenPages() }
  func view(_ queries: [KeyValueQuery], of lists: [any PageList], layout: KeyValueLayout) -> any KeyValueView
  { HiddenView(queries, lists, layout) }
  func storeKeysValues(
    _ keys: Tensor, _ values: Tensor, layer: Int, view: any KeyValueView, rule: AttentionRule,
    rotary: RotaryTable?
  ) {
    onCopies {
      cpu.storeKeysValues(
        $0.read(keys), $0.read(values), layer: layer, view: $0.view(view, isWritten: true), rule: rule,
        rotary: $0.read(rotary))
    }
  }
  func attention(
    _ q: Tensor, layer: Int, view: any KeyValueView, rule: AttentionRule, rotary: RotaryTable?,
    into out: Tensor, lse: Tensor?
  ) {
    onCopies {
      cpu.attention(
        $0.read(q), layer: layer, view: $0.view(view, isWritten: false), rule: rule, rotary: $0.read(rotary),
        into: $0.written(out), lse: $0.written(lse))
    }
  }
  func attentionBackward(
    q: Tensor, k: Tensor, v: Tensor, out: Tensor, lse: Tensor, dout: Tensor, starts: [Int32],
    rule: AttentionRule, rotary: RotaryTable?, dq: Tensor, dk: Tensor, dv: Tensor
  ) {
    onCopies {
      cpu.attentionBackward(
        q: $0.read(q), k: $0.read(k), v: $0.read(v), out: $0.read(out), lse: $0.read(lse),
        dout: $0.read(dout),
        starts: starts, rule: rule, rotary: $0.read(rotary), dq: $0.written(dq), dk: $0.written(dk),
        dv: $0.written(dv))
    }
  }

  func logSumExp(_ logits: Tensor) -> [Float] { onCopies { cpu.logSumExp($0.read(logits)) } }
  func tokenStatistics(_ logits: Tensor, labels: [Int32]) -> (
    logProbabilities: [Float], entropies: [Float]
  ) { onCopies { cpu.tokenStatistics($0.read(logits), labels: labels) } }
  func crossEntropy(_ logits: Tensor, labels: [Int32], scale: Float) -> [Float] {
    onCopies { cpu.crossEntropy($0.written(logits), labels: labels, scale: scale) }
  }
  func conditionalLoss(
    _ logits: Tensor, reference: Tensor?, labels: [Int32], loss: ConditionalLoss, scale: Float
  ) -> ConditionalLossRows {
    onCopies {
      cpu.conditionalLoss(
        $0.written(logits), reference: $0.read(reference), labels: labels, loss: loss, scale: scale)
    }
  }
  func sample(
    _ logits: Tensor, parameters: [SamplingParameters], uniforms: [Double], banned: [Int32]
  ) -> (tokens: [Int32], probabilities: [Double]) {
    onCopies { cpu.sample($0.read(logits), parameters: parameters, uniforms: uniforms, banned: banned) }
  }
  func ban(_ tokens: [Int32], in logits: Tensor) { onCopies { cpu.ban(tokens, in: $0.written(logits)) } }
  func penalize(_ tokens: [Int32], counts: [Int32], in logits: Tensor, _ penalties: Penalties) {
    onCopies { cpu.penalize(tokens, counts: counts, in: $0.written(logits), penalties) }
  }
  func adamW(_ p: Tensor, _ m: Tensor, _ v: Tensor, gradient: Tensor, step: AdamWStep) {
    onCopies {
      cpu.adamW($0.written(p), $0.written(m), $0.written(v), gradient: $0.read(gradient), step: step)
    }
  }
  func rmsProp(_ p: Tensor, _ v: Tensor, gradient: Tensor, step: RMSPropStep) {
    onCopies { cpu.rmsProp($0.written(p), $0.written(v), gradient: $0.read(gradient), step: step) }
  }
  func sumOfSquares(_ x: Tensor) -> Double { onCopies { cpu.sumOfSquares($0.read(x)) } }
}

/// Bytes that no pointer of the host reaches.
private final class HiddenBuffer: DeviceBuffer, @unchecked Sendable {
  // SAFETY: @unchecked Sendable: written by one computation at a time, as `DeviceBuffer`s are.
  fileprivate var contents: [UInt8]

  init(byteCount: Int) { contents = [UInt8](repeating: 0, count: byteCount) }

  var byteCount: Int { contents.count }

  func withHostRead<Result>(_ bytes: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  {
    let staging = Staging(byteCount: bytes.count)
    staging.memory.copyBytes(from: contents[bytes])
    return try body(UnsafeRawBufferPointer(staging.memory))
  }

  func withHostWrite<Result>(
    _ bytes: Range<Int>, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    let staging = Staging(byteCount: bytes.count)
    // Who leaves bytes unwritten finds these, which are no numbers.
    staging.memory.initializeMemory(as: UInt8.self, repeating: 0xff)
    let result = try body(staging.memory)
    contents.replaceSubrange(bytes, with: staging.memory)
    return result
  }
}

/// Memory for one transfer. Afterwards its addresses fault, and nothing else is ever mapped there.
private final class Staging {
  let memory: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    let length = max(byteCount, 1)
    guard let base = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { preconditionFailure("no memory for \(byteCount) bytes") }
    memory = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  deinit {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE
    let reserved = mmap(memory.baseAddress, max(memory.count, 1), PROT_NONE, flags, -1, 0)
    precondition(reserved == memory.baseAddress, "the addresses of a transfer could not be reserved")
  }
}

private final class HiddenMatrix: PackedMatrix {
  private let inner: any PackedMatrix
  var columns: Int { inner.columns }

  init(_ inner: any PackedMatrix) { self.inner = inner }

  static func inner(_ matrix: any PackedMatrix) -> any PackedMatrix {
    guard let matrix = matrix as? HiddenMatrix else { preconditionFailure("a matrix of another device") }
    return matrix.inner
  }
}

private final class HiddenPages: PageList {
  fileprivate private(set) var pages: [Tensor] = []
  func append(_ page: Tensor) { pages.append(page) }
}

private final class HiddenView: KeyValueView {
  fileprivate let queries: [KeyValueQuery]
  fileprivate let lists: [any PageList]
  fileprivate let layout: KeyValueLayout

  init(_ queries: [KeyValueQuery], _ lists: [any PageList], _ layout: KeyValueLayout) {
    (self.queries, self.lists, self.layout) = (queries, lists, layout)
  }

  var positions: [Int32] { queries.map(\.position) }
  func rows(_ rows: [Int32]) -> any KeyValueView {
    HiddenView(rows.map { queries[Int($0)] }, lists, layout)
  }
}

/// The copies of buffers that one operation works on.
private final class Copies {
  private let cpu: CPUBackend
  private var copies: [ObjectIdentifier: (buffer: HiddenBuffer, copy: any DeviceBuffer, isWritten: Bool)] =
    [:]

  init(_ cpu: CPUBackend) { self.cpu = cpu }

  private func copy(_ tensor: Tensor, isWritten: Bool) -> Tensor {
    guard let buffer = tensor.buffer as? HiddenBuffer else {
      preconditionFailure("a buffer of another device, \(Swift.type(of: tensor.buffer))")
    }
    let key = ObjectIdentifier(buffer)
    if copies[key] == nil {
      let copy = cpu.allocate(byteCount: buffer.byteCount)
      copy.withHostWrite(0..<buffer.byteCount) { $0.copyBytes(from: buffer.contents) }
      copies[key] = (buffer, copy, false)
    }
    if isWritten { copies[key]?.isWritten = true }
    guard let copy = copies[key]?.copy else { preconditionFailure("the copy was just made") }
    return Tensor(
      in: copy, byteOffset: tensor.byteOffset, rows: tensor.rows, columns: tensor.columns,
      rowStride: tensor.rowStride, type: tensor.type)
  }

  func read(_ tensor: Tensor) -> Tensor { copy(tensor, isWritten: false) }
  func read(_ tensor: Tensor?) -> Tensor? { tensor.map { copy($0, isWritten: false) } }
  func written(_ tensor: Tensor) -> Tensor { copy(tensor, isWritten: true) }
  func written(_ tensor: Tensor?) -> Tensor? { tensor.map { copy($0, isWritten: true) } }

  func read(_ rotary: RotaryTable?) -> RotaryTable? {
    rotary.map { RotaryTable(cosine: read($0.cosine), sine: read($0.sine)) }
  }

  func view(_ view: any KeyValueView, isWritten: Bool) -> any KeyValueView {
    guard let view = view as? HiddenView else { preconditionFailure("a view of another device") }
    let lists = view.lists.map { list in
      guard let list = list as? HiddenPages else { preconditionFailure("a page list of another device") }
      let copied = cpu.pageList(capacity: list.pages.count)
      for page in list.pages { copied.append(copy(page, isWritten: isWritten)) }
      return copied
    }
    return cpu.view(view.queries, of: lists, layout: view.layout)
  }

  func copyBack() {
    for (buffer, copy, isWritten) in copies.values where isWritten {
      copy.withHostRead(0..<buffer.byteCount) { buffer.contents = Array($0) }
    }
  }
}
