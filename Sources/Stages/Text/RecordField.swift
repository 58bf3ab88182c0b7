// A field of a record as conditions, templates and columns name it.

import JSON

extension RecordFile {
  /// The value of a field, or at a path of fields joined by dots; a field whose own name holds the dots wins.
  package static func value(_ field: String, in record: JSON) -> JSON? {
    PromptTemplate.value(field, in: record)
  }
}
