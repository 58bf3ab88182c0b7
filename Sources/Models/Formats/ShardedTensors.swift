// Several files of tensors that an index ties together.

import JSON
import System

/// The files of one `NAME.index.json`, which lie beside it.
package final class ShardedTensors: TensorSource {
  package let shards: [any TensorFile]
  package let names: [String]
  private let shardOf: [UTF8Key: Int]
  private let indexPath: String

  /// - Parameter open: opens one of the files.
  /// - Throws: naming the entry of the index that is wrong: a path that leaves the folder, a shard that is missing,
  ///   a tensor that is not where the index says, or one that the index does not list.
  package init(indexPath: String, open: (String) throws -> any TensorFile) throws {
    func failure(_ problem: String) -> FormatError { FormatError(path: indexPath, problem) }
    guard let map = try readJSON(indexPath)["weight_map"]?.objectValue, !map.isEmpty else {
      throw failure("`weight_map`: expected an object that is not empty")
    }
    var shards: [any TensorFile] = []
    var shardNumbers: [UTF8Key: Int] = [:]
    var shardOf: [UTF8Key: Int] = [:]
    var names: [String] = []
    for (name, value) in map.members {
      guard let fileName = value.stringValue else {
        throw failure("`weight_map`, \(quoted(name)): expected a file name, found \(value.kind)")
      }
      guard !fileName.isEmpty, !fileName.utf8.contains(UInt8(ascii: "/")), !fileName.utf8.contains(0),
        fileName != ".", fileName != ".."
      else {
        throw failure(
          "`weight_map`, \(quoted(name)): \(quoted(fileName)) is not the name of a file beside the index")
      }
      let number: Int
      if let known = shardNumbers[UTF8Key(fileName)] {
        number = known
      } else {
        let path = "\(Path.parent(indexPath))/\(fileName)"
        guard fileExists(path) else {
          throw failure("`weight_map`, \(quoted(name)): the shard \(quoted(fileName)) is missing")
        }
        number = shards.count
        shards.append(try open(path))
        shardNumbers[UTF8Key(fileName)] = number
      }
      do { _ = try shards[number].shape(of: name) } catch {
        throw failure("`weight_map`, \(quoted(name)): the shard \(quoted(fileName)) holds no such tensor")
      }
      shardOf[UTF8Key(name)] = number
      names.append(name)
    }
    for (number, shard) in shards.enumerated() {
      for name in shard.names where shardOf[UTF8Key(name)] != number {
        throw failure(
          shardOf[UTF8Key(name)] == nil
            ? "the tensor \(quoted(name)) of \(quoted(shard.file.path)) is not in `weight_map`"
            : "the tensor \(quoted(name)) is in two shards, also in \(quoted(shard.file.path))")
      }
    }
    self.shards = shards
    self.names = names
    self.shardOf = shardOf
    self.indexPath = indexPath
  }

  private func shard(_ name: String) throws -> any TensorFile {
    guard let number = shardOf[UTF8Key(name)] else {
      throw FormatError(
        path: indexPath, part: "tensor \(quoted(name))", "the index has no tensor of this name")
    }
    return shards[number]
  }

  package var fileByteCount: Int { shards.reduce(0) { $0 &+ $1.file.count } }
  package func shape(of name: String) throws -> [Int] { try shard(name).shape(of: name) }
  package func storage(of name: String) throws -> String { try shard(name).storage(of: name) }
  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    try shard(name).readFloats(name, into: output)
  }
}
