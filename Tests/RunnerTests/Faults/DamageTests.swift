import Glibc
import JSON
import Runner
import System
import Testing

/// Damage to what is stored: found, said, set aside and computed again; never believed.
@Suite struct DamageTests {
  private static let nodes = """
    {"address": "start", "stage": "start"},
    {"address": "train", "stage": "train", "options": {"steps": 1}, "inputs": {"rows": "start:rows", "model": "start:model"}},
    {"address": "sum", "stage": "sum", "inputs": {"rows": "start:rows"}}
    """

  private func files(_ toy: ToyRunner) throws -> [String] {
    try toy.names("objects").map { "objects/\($0)" } + toy.names("records").map { "records/\($0)" }
  }

  private func damage(_ path: String, _ how: String) throws {
    var bytes = try File.read(path)
    switch how {
    case "flip": bytes[bytes.count / 2] ^= 0x10
    case "truncate": bytes.removeLast()
    case "zero": bytes = bytes.map { _ in 0 }
    default: break
    }
    try File.remove(path)
    if how == "delete" { return }
    let file = try File.open(path, O_WRONLY | O_CREAT)
    try bytes.withUnsafeBytes { try file.writeAll($0) }
    try file.close()
  }

  @Test(arguments: ["flip", "truncate", "delete", "zero"])
  func `each file of the store damaged in turn, the run gives the same bytes and says what it found`(
    how: String
  ) throws {
    let toy = try ToyRunner(nodes: Self.nodes)
    #expect(try toy.run() == .exited(0))
    let output = toy.standardOutput
    let files = try files(toy)
    #expect(files.count > 8)
    for name in files {
      try damage("\(toy.path)/.plumb/\(name)", how)
      let store = try Store(at: "\(toy.path)/.plumb")
      let found = try Verification(of: store, repairing: false)
      // A lost record is no damage: nobody can know that it was there.
      let isSeen = how != "delete" || name.hasPrefix("objects")
      #expect(found.damages.map(\.path) == (isSeen ? [name] : []), "\(how) \(name)")
      if isSeen, name.hasPrefix("objects") { #expect(!found.damages[0].neededBy.isEmpty) }
      #expect(try toy.run() == .exited(0), "\(how) \(name): \(toy.standardError)")
      #expect(toy.standardOutput == output, "\(how) \(name)")
      #expect(
        toy.standardError.contains("warning: ") == (how != "delete"), "\(how) \(name): \(toy.standardError)")
      #expect(try self.files(toy) == files, "\(how) \(name)")
      #expect(try Verification(of: store, repairing: false).damages.isEmpty, "\(how) \(name)")
    }
  }

  @Test func `each two objects swapped are both found out`() throws {
    let toy = try ToyRunner(nodes: Self.nodes)
    #expect(try toy.run() == .exited(0))
    let files = try files(toy)
    let objects = try toy.names("objects").map { "\(toy.path)/.plumb/objects/\($0)" }
    for (first, second) in zip(objects, objects.dropFirst()) {
      try File.rename(first, to: "\(toy.path)/x")
      try File.rename(second, to: first)
      try File.rename("\(toy.path)/x", to: second)
      #expect(try Verification(of: Store(at: "\(toy.path)/.plumb"), repairing: false).damages.count == 2)
      #expect(try toy.run() == .exited(0), "\(toy.standardError)")
      #expect(toy.standardError.contains("warning: an object of the store was damaged"))
      #expect(try self.files(toy) == files)
      #expect(try Verification(of: Store(at: "\(toy.path)/.plumb"), repairing: false).damages.isEmpty)
    }
  }

  @Test func `repairing sets aside what is damaged, and the next run computes it anew`() throws {
    let toy = try ToyRunner(nodes: Self.nodes)
    #expect(try toy.run() == .exited(0))
    let files = try files(toy)
    for name in [files[0], files[files.count - 1]] { try damage("\(toy.path)/.plumb/\(name)", "flip") }
    let store = try Store(at: "\(toy.path)/.plumb")
    #expect(try Verification(of: store, repairing: true).damages.count == 2)
    #expect(try File.names(in: "\(toy.path)/.plumb/quarantine").count == 2)
    #expect(try toy.run() == .exited(0))
    #expect(!toy.standardError.contains("warning"), "\(toy.standardError)")
    #expect(try self.files(toy) == files)
  }
}
