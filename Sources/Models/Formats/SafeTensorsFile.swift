// Reading safetensors: one file, or several that an index ties together.

import JSON
import System

/// One safetensors file, mapped and checked.
package final class SafeTensorsFile: TensorSource {
  package let file: MappedFile
  package let header: SafeTensorsHeader
  private let index: [UTF8Key: Int]

  package init(_ path: String) throws {
    file = try MappedFile(path)
    header = try SafeTensorsHeader(of: file)
    // Names are distinct: the JSON reader refuses duplicate keys.
    index = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { (UTF8Key($1.name), $0) })
  }

  package var names: [String] { header.entries.map(\.name) }

  package func entry(_ name: String) throws -> SafeTensorsEntry {
    guard let position = index[UTF8Key(name)] else {
      throw FormatError(
        path: file.path, part: "tensor \(quoted(name))", "the file has no tensor of this name")
    }
    return header.entries[position]
  }

  package func shape(of name: String) throws -> [Int] { try entry(name).shape }
  package func storage(of name: String) throws -> String { try entry(name).dtype }

  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    let entry = try entry(name)
    guard let encoding = entry.encoding, let bytes = file.slice(entry.offset, entry.byteCount) else {
      throw FormatError(
        path: file.path, part: "tensor \(quoted(name))", offset: entry.offset,
        "stored as \(entry.dtype), which is not read as numbers; F32, F16 and BF16 are")
    }
    withExtendedLifetime(file) { encoding.decode(bytes, into: output) }
  }

  /// The tensor's bytes as stored. Valid while this object lives.
  package func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    let entry = try entry(name)
    return file.slice(entry.offset, entry.byteCount) ?? UnsafeRawBufferPointer(start: nil, count: 0)
  }
}

/// Several safetensors files under one `model.safetensors.index.json`.
package final class ShardedSafeTensors: TensorSource {
  package let shards: [SafeTensorsFile]
  package let names: [String]
  private let shardOf: [UTF8Key: Int]
  private let indexPath: String

  /// - Throws: naming the entry of the index that is wrong: a path that leaves the directory, a shard that is missing,
  ///   a tensor that is not where the index says, or one that the index does not list.
  package init(indexPath: String, directory: String) throws {
    func failure(_ problem: String) -> FormatError { FormatError(path: indexPath, problem) }
    let json: JSON
    do {
      json = try JSON(parsing: try readSmallFile(indexPath, limit: SafeTensorsHeader.maximumSize))
    } catch let error as JSONError {
      throw FormatError(path: indexPath, offset: error.offset, "not JSON: \(error)")
    }
    guard let map = json["weight_map"]?.objectValue, !map.isEmpty else {
      throw failure("`weight_map`: expected an object that is not empty")
    }
    var shards: [SafeTensorsFile] = []
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
        let path = "\(directory)/\(fileName)"
        guard fileExists(path) else {
          throw failure("`weight_map`, \(quoted(name)): the shard \(quoted(fileName)) is missing")
        }
        number = shards.count
        shards.append(try SafeTensorsFile(path))
        shardNumbers[UTF8Key(fileName)] = number
      }
      do { _ = try shards[number].entry(name) } catch {
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

  private func shard(_ name: String) throws -> SafeTensorsFile {
    guard let number = shardOf[UTF8Key(name)] else {
      throw FormatError(
        path: indexPath, part: "tensor \(quoted(name))", "the index has no tensor of this name")
    }
    return shards[number]
  }

  package func shape(of name: String) throws -> [Int] { try shard(name).shape(of: name) }
  package func storage(of name: String) throws -> String { try shard(name).storage(of: name) }
  package func readFloats(_ name: String, into output: UnsafeMutableBufferPointer<Float>) throws {
    try shard(name).readFloats(name, into: output)
  }
}
