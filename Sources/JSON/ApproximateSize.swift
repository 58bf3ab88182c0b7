// About how many bytes the text of a value has, without writing it.

extension JSON {
  /// The bytes of its strings and of the names of members, and 8 for each value.
  package var approximateByteCount: Int {
    switch self {
    case .string(let text): text.utf8.count + 8
    case .array(let values): values.reduce(8) { $0 + $1.approximateByteCount }
    case .object(let object):
      object.members.indices.reduce(8) {
        $0 + object.members[$1].key.utf8.count + object.members[$1].value.approximateByteCount
      }
    default: 8
    }
  }
}
