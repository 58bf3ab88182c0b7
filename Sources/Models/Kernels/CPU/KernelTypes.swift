// The backend's descriptions as CKernels spells them.

import CKernels

extension ElementType {
  var kernelType: pk_type {
    switch self {
    case .float32: PK_F32
    case .bfloat16: PK_BF16
    case .int8: PK_I8
    }
  }
}

extension BlockFormat {
  package var kernelType: pk_type {
    switch self {
    case .q80: PK_Q8_0
    case .q40: PK_Q4_0
    case .q41: PK_Q4_1
    case .q50: PK_Q5_0
    case .q51: PK_Q5_1
    case .q4K: PK_Q4_K
    case .q5K: PK_Q5_K
    case .q6K: PK_Q6_K
    }
  }
}

extension AttentionRule {
  /// For use while the table lives.
  func kernelValue(_ rotary: RotaryTable?) -> pk_attention_rule {
    precondition(headDimension <= Int(PK_MAX_HEAD), "heads of \(headDimension), at most \(PK_MAX_HEAD)")
    return pk_attention_rule(
      scale: scale, cap: Float(softCap ?? 0), window: Int32(clamping: window ?? 0),
      cosine: rotary.map { UnsafePointer($0.cosine.cpuFloats) },
      sine: rotary.map { UnsafePointer($0.sine.cpuFloats) }, turned: Int32(clamping: rotary?.dimension ?? 0),
      interleaved: turnsNeighbours ? 1 : 0)
  }
}

extension KLDirection {
  var kernelValue: pk_kl {
    switch self {
    case .referencePolicy: PK_KL_REFERENCE_POLICY
    case .policyReference: PK_KL_POLICY_REFERENCE
    }
  }
}

extension Activation {
  var kernelValue: pk_activation {
    switch self {
    case .silu: PK_SILU
    case .gelu: PK_GELU
    case .geluTanh: PK_GELU_TANH
    }
  }
}
