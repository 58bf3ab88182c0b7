// The right operand of a product, laid out for CKernels.

import CKernels

final class CPUPackedMatrix: PackedMatrix {
  let storage: Tensor
  let blocks: [pk_block]
  let columns: Int
  /// The type of the left operand.
  var operandType: ElementType { storage.type == .int8 ? .bfloat16 : storage.type }

  /// Packs `matrix`, whose element (k, n) lies at k * reductionStride + n * columnStride.
  /// - Parameter storage: given the number of elements, where they go.
  init(
    _ matrix: Tensor, reductionStride: Int, columnStride: Int, columns: Int, reduction: ReductionBlocks,
    type: ElementType, threads: Int32, storage allocated: (_ count: Int) -> Tensor
  ) {
    self.columns = columns
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
}
