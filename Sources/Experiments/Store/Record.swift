// The record of a finished node: under which key it ran, with what, and which bytes came out.

import JSON
import System

/// One output of a finished node. Its bytes are the object `digest`, or, for a directory, the files of the manifest
/// that is the object `digest`.
package struct StoredOutput: Sendable, Equatable {
  package let port: String
  package let type: ArtifactType
  package let digest: Digest
  /// Bytes of the file; of a directory's files together.
  package let size: Int
  package let isTree: Bool
  /// Of rows: what is declared of their columns.
  package let columns: ColumnTable

  package init(
    port: String, type: ArtifactType, digest: Digest, size: Int, isTree: Bool,
    columns: ColumnTable = ColumnTable()
  ) {
    self.port = port
    self.type = type
    self.digest = digest
    self.size = size
    self.isTree = isTree
    self.columns = columns
  }

  package func with(_ columns: ColumnTable) -> StoredOutput {
    StoredOutput(port: port, type: type, digest: digest, size: size, isTree: isTree, columns: columns)
  }

  package var json: JSON {
    var object = JSONObject([
      ("port", .string(port)), ("type", .string(type.rawValue)), ("digest", .string(digest.hex)),
      ("size", .int(Int64(size))), ("tree", .bool(isTree)),
    ])
    if !columns.columns.isEmpty { object["columns"] = columns.json }
    return .object(object)
  }

  /// What stands for it in the keys of what reads it: its bytes, and how its columns are to be read.
  package var keyPart: JSON {
    guard let columns = columns.keyPart else { return .string(digest.hex) }
    return ["sha256": .string(digest.hex), "columns": columns]
  }

  package init?(json: JSON) {
    guard let port = json["port"]?.stringValue,
      let type = json["type"]?.stringValue.flatMap(ArtifactType.init(rawValue:)),
      let digest = json["digest"]?.stringValue.flatMap(Digest.init(hex:)),
      let size = json["size"]?.intValue, let isTree = json["tree"]?.boolValue
    else { return nil }
    var columns = ColumnTable()
    if let declared = json["columns"] {
      guard let table = ColumnTable(json: declared) else { return nil }
      columns = table
    }
    self.init(port: port, type: type, digest: digest, size: size, isTree: isTree, columns: columns)
  }
}

/// A file of the user's as it was when its content entered a key.
package struct InputReading: Sendable {
  package let path: String
  package let status: FileStatus
  package let digest: Digest
  /// False: its size, times and inode stood since it last was, and the digest is that of then.
  package let wasHashed: Bool

  package var json: JSON {
    [
      "path": .string(path), "sha256": .string(digest.hex), "size": .int(Int64(status.size)),
      "modified_ns": .int(status.modifiedNanoseconds), "inode": .int(Int64(truncatingIfNeeded: status.inode)),
      "read": .string(wasHashed ? "hashed" : "remembered"),
    ]
  }
}

/// Written last, when every output is in the store: a record that reads back means a finished node.
package struct NodeRecord: Sendable {
  package let key: String
  /// What the key is the digest of (see `ContentKey`).
  package let preimage: JSON
  package let outputs: [StoredOutput]
  package let address: String
  package let recipeKey: String
  package let seconds: Double
  /// What the stage measured; in the order of their names.
  package let measures: [(name: String, value: Double)]
  package let provenance: Provenance
  /// How each of the user's files was read: a list of `InputReading`.
  package let readings: JSON

  package init(
    key: String, preimage: JSON, outputs: [StoredOutput], address: String, recipeKey: String, seconds: Double,
    measures: [(name: String, value: Double)], provenance: Provenance = Provenance(), readings: JSON = []
  ) {
    self.readings = readings
    self.key = key
    self.preimage = preimage
    self.outputs = outputs
    self.address = address
    self.recipeKey = recipeKey
    self.seconds = seconds
    self.measures = measures
    self.provenance = provenance
  }

  /// The identities of the servers whose replies it is made of: observed, not computed. Each once, in the order of its ports.
  package var observed: [String] {
    (preimage["inputs"]?.objectValue?.members ?? []).flatMap { _, part -> [String] in
      let parts = part.arrayValue?.compactMap { $0["digest"] } ?? [part]
      return parts.compactMap { $0["server"]?.stringValue }
    }.distinct()
  }

  package func output(_ port: String) -> StoredOutput? { outputs.first { $0.port == port } }

  package var json: JSON {
    [
      "key": .string(key), "preimage": preimage, "outputs": .array(outputs.map(\.json)),
      "address": .string(address), "recipe_key": .string(recipeKey), "seconds": .double(seconds),
      "measures": .object(JSONObject(measures.map { ($0.name, .double($0.value)) })),
      "provenance": provenance.json, "readings": readings,
    ]
  }

  package init?(json: JSON) {
    guard let key = json["key"]?.stringValue, let preimage = json["preimage"],
      let list = json["outputs"]?.arrayValue, let address = json["address"]?.stringValue,
      let recipeKey = json["recipe_key"]?.stringValue, let seconds = json["seconds"]?.doubleValue,
      let measures = json["measures"]?.objectValue
    else { return nil }
    let outputs = list.compactMap(StoredOutput.init(json:))
    guard outputs.count == list.count else { return nil }
    self.init(
      key: key, preimage: preimage, outputs: outputs, address: address, recipeKey: recipeKey,
      seconds: seconds,
      measures: measures.members.map { ($0.key, $0.value.doubleValue ?? 0) },
      provenance: Provenance(json: json["provenance"]), readings: json["readings"] ?? [])
  }
}
