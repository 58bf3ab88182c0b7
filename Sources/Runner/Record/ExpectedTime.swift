// How long a node is expected to take: as long as its address last took, else as its like in other iterations did.

import JSON

package struct ExpectedTime {
  private let resolution: Resolution
  /// Last keys by address without iteration and matrix values.
  private let families: [UTF8Key: [(address: String, key: String)]]
  private var familySeconds: [UTF8Key: Double?] = [:]

  /// How many records of other iterations are asked, at most.
  private static let familySample = 8

  package init(_ resolution: Resolution) {
    self.resolution = resolution
    var families: [UTF8Key: [(address: String, key: String)]] = [:]
    for (address, key) in resolution.lastKeys {
      families[UTF8Key(ExpectedTime.family(address.string)), default: []].append((address.string, key))
    }
    self.families = families.mapValues { members in
      Array(
        members.sorted { $0.address.utf8.lexicographicallyPrecedes($1.address.utf8) }.suffix(
          ExpectedTime.familySample))
    }
  }

  /// Nil when neither this address nor its like ever ran.
  package mutating func seconds(of node: PlanNode) throws -> Double? {
    if let last = try resolution.lastRecord(at: node.address),
      last.preimage["stage"]?.stringValue == node.stage
    {
      return last.seconds
    }
    let family = UTF8Key(ExpectedTime.family(node.address))
    if let known = familySeconds[family] { return known }
    var all: [Double] = []
    for (_, key) in families[family] ?? [] {
      if let record = try resolution.store.unverifiedRecord(key),
        record.preimage["stage"]?.stringValue == node.stage
      {
        all.append(record.seconds)
      }
    }
    let mean = all.isEmpty ? nil : all.reduce(0, +) / Double(all.count)
    familySeconds[family] = .some(mean)
    return mean
  }

  /// `quark@2.train` and `quark@3.train` are `quark.train`; so are all values of a matrix.
  static func family(_ address: String) -> String {
    PlanAddress.parts(of: address).map { part in
      String(Substring(part.utf8.prefix { $0 != UInt8(ascii: "@") }))
    }.joined(separator: ".")
  }
}
