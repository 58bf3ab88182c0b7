// Batches of requests: what differs between the servers that take them.

import Experiments
import HTTP
import JSON

/// How one kind of server takes batches. One file each, and one line in `ServerModel.batchInterface`.
protocol BatchInterface: Sendable {
  /// Of its batches, behind the model's address and a slash.
  static var path: String { get }
  /// What a server takes at once.
  static var mostRequests: Int { get }
  static var mostBytes: Int { get }
  /// What stands around the requests in the file that is handed over.
  /// - Parameter first: the key of the first request.
  static func frame(first: ReplyJournal.Key) -> BatchUpload.Frame
  /// One request in that file.
  static func request(_ key: ReplyJournal.Key, _ body: JSON, _ model: ServerModel) -> JSON
  /// What has to be done before a batch is created.
  /// - Returns: a mark, which is written down before the batch is created, for `find`.
  static func prepare(_ record: BatchRecord, _ calls: BatchCalls) throws -> String
  /// The body of the call that creates a batch.
  static func creation(_ record: BatchRecord, mark: String, _ model: ServerModel) -> HTTPRequest.Body
  /// The batch of a record, where the answer to the call that creates it was lost; nil where the server has none.
  /// - Parameter except: batches of other records.
  static func find(_ record: BatchRecord, mark: String, except: Set<String>, _ calls: BatchCalls) throws
    -> BatchRecord.Batch?
  /// Of what a server says of a batch.
  static func state(_ batch: JSON) throws(ServerFailure) -> BatchState
  /// Of one line of a batch's results: the response as one that came alone.
  static func response(_ line: JSON, _ reader: ResponseReader) -> Result<HTTPResponse, ServerFailure>
}

extension ServerModel {
  /// Nil where the interface has no batches.
  var batchInterface: (any BatchInterface.Type)? {
    switch interface {
    case .chat, .completions: OpenAIBatches.self
    case .messages: MessageBatches.self
    case .http: nil
    }
  }
}
