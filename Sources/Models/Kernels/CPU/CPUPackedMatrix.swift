// The right operand of a product, laid out for CKernels.

import CKernels

final class CPUPackedMatrix: PackedMatrix {
  let storage: Tensor
  let blocks: [pk_block]
  let columns: Int
  let kernelType: pk_type
  /// The type of the left operand.
  var operandType: ElementType { storage.type == .int8 ? .bfloat16 : storage.type }

  /// Packs `matrix`, whose element (k, n) lies at k * reductionStride + n * columnStride.
  /// - Parameter storage: given the number of elements, where they go.
  init(
    _ matrix: Tensor, reductionStride: Int, columnStride: Int, columns: Int, reduction: ReductionBlocks,
    type: ElementType, threads: Int32, storage allocated: (_ count: Int) -> Tensor
  ) {
    self.columns = columns
    kernelType = type.kernelType
    blocks = reduction.blocks.map { pk_block(start: $0.lowerBound, length: $0.count) }
    let count =
      type == .int8
      ? pk_packed_int8_bytes(columns, blocks, blocks.count) : pk_packed_count(columns, blocks, blocks.count)
    storage = allocated(count)
    precondition(
      storage.count == count && storage.type == type, "packs \(count) elements over \(storage.count)")
    if type == .int8 {
      pk_pack_int8(
        threads, matrix.stridedFloats, reductionStride, columnStride, columns, blocks, blocks.count,
        storage.cpuPointer)
    } else if matrix.type == .float32 {
      pk_pack_f32(
        threads, matrix.stridedFloats, reductionStride, columnStride, columns, blocks, blocks.count,
        type.kernelType, storage.cpuPointer)
    } else {
      precondition(matrix.type == type, "packs \(matrix.type) as \(type)")
      pk_pack(
        threads, matrix.stridedPointer, reductionStride, columnStride, columns, blocks, blocks.count,
        type.kernelType, storage.cpuPointer)
    }
  }

  /// Packs the integers of a file's blocks.
  /// - Parameter storage: given the number of bytes, where they go.
  init(_ matrix: BlockMatrix, threads: Int32, storage allocated: (_ count: Int) -> Tensor) {
    let (type, k) = (matrix.format.kernelType, matrix.columns)
    let rowBytes = k / pk_file_terms(type) * pk_file_bytes(type)
    precondition(
      k % pk_file_terms(type) == 0
        && matrix.rows.allSatisfy { Int($0) < matrix.bytes.count / max(1, rowBytes) },
      "\(matrix.rows.count) rows of \(k) weights in \(matrix.bytes.count) bytes of \(matrix.format.rawValue)")
    columns = matrix.rows.count
    kernelType = type
    let terms = pk_reduction_terms(type)
    blocks = stride(from: 0, to: k, by: terms).map { pk_block(start: $0, length: terms) }
    storage = allocated(pk_packed_file_bytes(type, columns, k))
    // In parts, so that little of the file is in memory beside its integers.
    let part = 1024
    for first in stride(from: 0, to: columns, by: part) {
      pk_pack_file(
        threads, type, matrix.bytes.baseAddress, matrix.rows, first, min(columns, first + part), k,
        storage.cpuPointer + pk_packed_file_bytes(type, first, k))
      matrix.release()
    }
  }
}
