// The codes of diagnostics: a code is one case and one line of the switch, and its explanation stands in the file of its group.

/// What kind of mistake a diagnostic is about. The text in brackets is stable; tests and users may match on it.
public enum DiagnosticCode: String, CaseIterable, Sendable, CustomStringConvertible {
  // The file as a YAML text.
  case missingFile = "missing-file"
  case fileTooLarge = "file-too-large"
  case emptyFile = "empty-file"
  case invalidUTF8 = "invalid-utf8"
  case controlCharacter = "control-character"
  case syntax
  case tab
  case tooDeep = "too-deep"
  case tooLarge = "too-large"
  case undefinedAlias = "undefined-alias"
  case recursiveAlias = "recursive-alias"
  case duplicateKey = "duplicate-key"
  case complexKey = "complex-key"
  case wrongMerge = "wrong-merge"
  case unknownTag = "unknown-tag"
  case wrongTag = "wrong-tag"
  case severalDocuments = "several-documents"
  case notAMapping = "not-a-mapping"

  // Keys and values of the language and of a stage's options.
  case unknownVersion = "unknown-version"
  case missingKey = "missing-key"
  case unknownKey = "unknown-key"
  case wrongType = "wrong-type"
  case outOfRange = "out-of-range"
  case unknownChoice = "unknown-choice"
  case conflictingKeys = "conflicting-keys"
  case literalSecret = "literal-secret"
  case badOverride = "bad-override"
  case unknownParameter = "unknown-parameter"
  case badReference = "bad-reference"
  case outsideProject = "outside-project"
  case notAFile = "not-a-file"
  case missingModel = "missing-model"
  case notFetched = "not-fetched"
  case serverRisk = "server-risk"

  // Names, and what they refer to.
  case badName = "bad-name"
  case duplicateName = "duplicate-name"
  case unknownReference = "unknown-reference"
  case unknownOutput = "unknown-output"
  case unknownMetric = "unknown-metric"
  case cycle

  // Matrices and collections, files and parameters that name each other, secrets.
  case badLabel = "bad-label"
  case collection
  case duplicateValue = "duplicate-value"
  case emptyMatrix = "empty-matrix"
  case matrixShape = "matrix-shape"
  case unknownAxis = "unknown-axis"
  case unknownCell = "unknown-cell"
  case unknownValue = "unknown-value"
  case parameterCycle = "parameter-cycle"
  case unusedParameter = "unused-parameter"
  case extendsCycle = "extends-cycle"
  case notADirectory = "not-a-directory"
  case missingVariable = "missing-variable"

  // What stages take and give.
  case unknownPlugIn = "unknown-plug-in"
  case unknownInput = "unknown-input"
  case missingInput = "missing-input"
  case nullInput = "null-input"
  case typeMismatch = "type-mismatch"
  case missingColumn = "missing-column"
  case unknownColumn = "unknown-column"
  case numericMode = "numeric-mode"
  case notShardable = "not-shardable"

  // What stages find before anything runs.
  case conflictingOptions = "conflicting-options"
  case unreadMarker = "unread-marker"
  case unreadMessages = "unread-messages"
  case wrongValue = "wrong-value"
  case badTemplate = "bad-template"
  case unknownField = "unknown-field"
  case wrongData = "wrong-data"
  case noRows = "no-rows"
  case noRowsSeen = "no-rows-seen"
  case tooFewRows = "too-few-rows"
  case wrongModel = "wrong-model"
  case unknownClass = "unknown-class"
  case unusedClass = "unused-class"
  case unusedInput = "unused-input"
  case trainedPrompts = "trained-prompts"
  case badSweep = "bad-sweep"

  public var description: String { rawValue }

  /// What `plumb explain CODE` says. Exhaustive, so that a code without an explanation does not compile.
  package var explanation: Explanation {
    switch self {
    case .missingFile: .missingFile
    case .fileTooLarge: .fileTooLarge
    case .emptyFile: .emptyFile
    case .invalidUTF8: .invalidUTF8
    case .controlCharacter: .controlCharacter
    case .syntax: .syntax
    case .tab: .tab
    case .tooDeep: .tooDeep
    case .tooLarge: .tooLarge
    case .undefinedAlias: .undefinedAlias
    case .recursiveAlias: .recursiveAlias
    case .duplicateKey: .duplicateKey
    case .complexKey: .complexKey
    case .wrongMerge: .wrongMerge
    case .unknownTag: .unknownTag
    case .wrongTag: .wrongTag
    case .severalDocuments: .severalDocuments
    case .notAMapping: .notAMapping
    case .unknownVersion: .unknownVersion
    case .missingKey: .missingKey
    case .unknownKey: .unknownKey
    case .wrongType: .wrongType
    case .outOfRange: .outOfRange
    case .unknownChoice: .unknownChoice
    case .conflictingKeys: .conflictingKeys
    case .literalSecret: .literalSecret
    case .badOverride: .badOverride
    case .unknownParameter: .unknownParameter
    case .badReference: .badReference
    case .outsideProject: .outsideProject
    case .notAFile: .notAFile
    case .missingModel: .missingModel
    case .notFetched: .notFetched
    case .serverRisk: .serverRisk
    case .badName: .badName
    case .duplicateName: .duplicateName
    case .unknownReference: .unknownReference
    case .unknownOutput: .unknownOutput
    case .unknownMetric: .unknownMetric
    case .cycle: .cycle
    case .badLabel: .badLabel
    case .collection: .collection
    case .duplicateValue: .duplicateValue
    case .emptyMatrix: .emptyMatrix
    case .matrixShape: .matrixShape
    case .unknownAxis: .unknownAxis
    case .unknownCell: .unknownCell
    case .unknownValue: .unknownValue
    case .parameterCycle: .parameterCycle
    case .unusedParameter: .unusedParameter
    case .extendsCycle: .extendsCycle
    case .notADirectory: .notADirectory
    case .missingVariable: .missingVariable
    case .unknownPlugIn: .unknownPlugIn
    case .unknownInput: .unknownInput
    case .missingInput: .missingInput
    case .nullInput: .nullInput
    case .typeMismatch: .typeMismatch
    case .missingColumn: .missingColumn
    case .unknownColumn: .unknownColumn
    case .numericMode: .numericMode
    case .notShardable: .notShardable
    case .conflictingOptions: .conflictingOptions
    case .unreadMarker: .unreadMarker
    case .unreadMessages: .unreadMessages
    case .wrongValue: .wrongValue
    case .badTemplate: .badTemplate
    case .unknownField: .unknownField
    case .wrongData: .wrongData
    case .noRows: .noRows
    case .noRowsSeen: .noRowsSeen
    case .tooFewRows: .tooFewRows
    case .wrongModel: .wrongModel
    case .unknownClass: .unknownClass
    case .unusedClass: .unusedClass
    case .unusedInput: .unusedInput
    case .trainedPrompts: .trainedPrompts
    case .badSweep: .badSweep
    }
  }
}
