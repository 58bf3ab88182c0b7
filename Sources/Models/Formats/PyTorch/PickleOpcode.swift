// The opcodes of a pickle that are read, under plain names.

/// Source: CPython's `Lib/pickletools.py`, whose names follow where they differ.
enum PickleOpcode: UInt8 {
  case `protocol` = 0x80  // PROTO
  case frame = 0x95
  case stop = 0x2E

  case none = 0x4E
  case `true` = 0x88
  case `false` = 0x89
  case integer1 = 0x4B  // BININT1
  case integer2 = 0x4D  // BININT2
  case integer4 = 0x4A  // BININT
  case long1 = 0x8A
  case long4 = 0x8B
  case number = 0x47  // BINFLOAT
  case string1 = 0x8C  // SHORT_BINUNICODE
  case string4 = 0x58  // BINUNICODE
  case string8 = 0x8D  // BINUNICODE8

  case mark = 0x28
  case emptyTuple = 0x29
  case tuple = 0x74
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case emptyList = 0x5D
  case append = 0x61
  case appends = 0x65
  case emptyDictionary = 0x7D
  case setItem = 0x73
  case setItems = 0x75

  case memoize = 0x94
  case put1 = 0x71  // BINPUT
  case put4 = 0x72  // LONG_BINPUT
  case get1 = 0x68  // BINGET
  case get4 = 0x6A  // LONG_BINGET

  case global = 0x63
  case stackGlobal = 0x93
  case persistentStorage = 0x51  // BINPERSID
  case reduce = 0x52
  case build = 0x62
}
