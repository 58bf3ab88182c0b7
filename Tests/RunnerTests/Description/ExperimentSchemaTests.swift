// The schema and `check` agree: what one refuses for its shape the other refuses, what one takes the other takes.

import Foundation
import JSON
import Runner
import Testing

@Suite(.enabled(if: JSONSchemaValidator.isPresent, "python3 with jsonschema is not installed"))
struct ExperimentSchemaTests {
  /// Errors about what stands there, whatever the names mean.
  static let shapes: Set<DiagnosticCode> = [
    .unknownKey, .missingKey, .wrongType, .outOfRange, .unknownChoice, .unknownVersion,
    .badName,
    .unknownInput, .missingInput, .unknownPlugIn, .conflictingKeys, .notAMapping,
  ]

  /// Every key of the language and every type of option, once.
  static let whole = """
    version: 1
    name: whole
    description: all of it
    seed: 7
    numeric: fp32
    params: {iterations: 2, rate: 1e-3}
    models:
      sft: {path: sft}
      hub: {pypi: pkg==1.0/m.gguf, sha256: b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53}
      open: {hf: owner/name@main, sha256: b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53}
      far: {https: //host/m.gguf, sha256: b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53}
    defaults: {retries: 1, timeout: 90s, resources: {cpus: 2, memory: 8GiB, time: 4h, gpus: 0}, keep: all}
    stages:
      rows: {uses: data, with: {path: train.jsonl, prompt: "{prompt}", limit: null}}
      draw: {in: {rows: rows}, with: {count: 8}, needs: [rows], seed: 3, description: drawn}
      loop:
        description: round and round
        loop:
          times: $iterations
          carry: {policy: {first: sft, next: train.model}, history: {first: null, next: pool.state}}
          until: {metric: measure.reward, at_least: 2}
        stages:
          sample:
            in: {model: policy, prompts: draw}
            with: {n: 2, temperature: 0.5, top_p: 0.9, max_new_tokens: 5, condition: {text: a}, stop: [x]}
            shards: 2
            threads: 3
            engine: {memory: 1GiB, batch: 4}
            checkpoint: {seconds: 5}
          score: {in: {model: sft, rows: sample}}
          quantize: {in: {rows: score, history: history}, with: {classes: 5, scope: prompt}}
          pool: {in: {rows: quantize}}
          train:
            in: {model: policy, rows: pool.rows}
            with: {objective: {kind: conditional, kl: 1}, lr: $rate, shuffle: false}
          measure: {uses: evaluate, in: {rows: score}, with: {metrics: [reward]}}
      some: {uses: draw, matrix: {size: [4, 8], include: [{size: 2}], exclude: [{size: 4}]}, in: {rows: rows}, with: {count: $size}}
      few: {uses: draw, matrix: {much: {one: 1, two: 2}}, in: {rows: rows}, with: {count: $much}}
      judged: {uses: score, in: {model: loop@last.train, rows: loop@last.sample}, needs: draw}
      evaluate: {in: {rows: judged}, with: {metrics: [reward]}}
    metrics: {reward: evaluate.reward}
    expect:
      - {metric: reward, above: 0.5, at_most: reward}
      - {metric: evaluate.reward, equals: 1, within: 0.1}
    """

  func value(_ text: String) throws -> JSON {
    try Document.json(of: SourceFile(name: "a.yaml", folder: "/", bytes: Array(text.utf8))).get()
  }

  /// Codes of what `check` says of an instance.
  func codes(_ instance: JSON, _ project: TemporaryProject) throws -> [DiagnosticCode] {
    try project.write("a.yaml", instance.text())
    guard case .failure(let list) = project.result("a.yaml") else { return [] }
    return list.diagnostics.filter { $0.severity == .error }.map(\.code)
  }

  static func project() throws -> TemporaryProject {
    let project = try TemporaryProject()
    try project.write("train.jsonl", "{\"id\": \"1\", \"prompt\": \"a\"}\n")
    try FileManager.default.createDirectory(
      atPath: "\(project.folder)/sft", withIntermediateDirectories: true)
    return project
  }

  struct Mutation {
    var what: String
    var instance: JSON
  }

  /// Everywhere: another kind of value, one key more, one key less.
  static func mutations(of json: JSON) -> [Mutation] {
    var result: [Mutation] = []
    func visit(_ json: JSON, _ path: String, _ rebuild: (JSON) -> JSON) {
      if !path.isEmpty {
        for value: JSON in [nil, true, -1, 0.5, 1_000_000_000_000, "zz z", [], ["zzz": 1], [[1]]] {
          result.append(Mutation(what: "\(path) = \(value.text())", instance: rebuild(value)))
        }
      }
      switch json {
      case .object(let object):
        var more = object
        more["zzz"] = 1
        result.append(Mutation(what: "\(path) + zzz", instance: rebuild(.object(more))))
        for member in object.members {
          let rest = object.members.filter { $0.key != member.key }
          let inner = "\(path)/\(member.key)"
          result.append(Mutation(what: "without \(inner)", instance: rebuild(.object(JSONObject(rest)))))
          visit(member.value, inner) { new in
            rebuild(
              .object(JSONObject(object.members.map { ($0.key, $0.key == member.key ? new : $0.value) })))
          }
        }
      case .array(let elements):
        for index in elements.indices {
          visit(elements[index], "\(path)/\(index)") { new in
            var changed = elements
            changed[index] = new
            return rebuild(.array(changed))
          }
        }
      default: break
      }
    }
    visit(json, "") { $0 }
    return result
  }

  @Test func `the schema and check agree on every small change of an experiment`() throws {
    let whole = try value(Self.whole)
    let project = try Self.project()
    let mutations = [Mutation(what: "nothing", instance: whole)] + Self.mutations(of: whole)
    #expect(try codes(whole, project) == [])
    let complaints = try JSONSchemaValidator.complaints(
      mutations.map(\.instance), schema: ExperimentSchema(Toys.registry).json)
    var refused = 0
    var taken = 0
    var onlySchema: [String] = []
    var onlyCheck: [String] = []
    for (mutation, complaint) in zip(mutations, complaints) {
      let codes = try codes(mutation.instance, project)
      if codes.isEmpty {
        taken += 1
        if !complaint.isEmpty { onlySchema.append("\(mutation.what): \(complaint)") }
      } else if !Self.shapes.isDisjoint(with: codes) {
        refused += 1
        // A parameter, or a value of an axis, is judged where it is used, which no schema can.
        let isUsedElsewhere = ["/params/", "/matrix/size/", "/matrix/much/", "/include/0/size"].contains {
          mutation.what.contains($0)
        }
        if complaint.isEmpty, !isUsedElsewhere {
          onlyCheck.append("\(mutation.what): \(codes)")
        }
      }
    }
    #expect(onlySchema == [], "refused by the schema alone")
    #expect(onlyCheck == [], "refused by check alone")
    #expect(refused > 500 && taken > 50)
  }

  @Test func `what explain calls wrong in shape the schema refuses, what it calls right it takes`() throws {
    var instances: [JSON] = []
    var expected: [(code: DiagnosticCode, isValid: Bool)] = []
    // The stages of the library have options that these have not.
    let others: Set<DiagnosticCode> = [
      .conflictingOptions, .unreadMarker, .unreadMessages, .wrongValue, .badTemplate, .unknownField,
      .wrongData, .noRows,
      .noRowsSeen, .tooFewRows, .wrongModel, .unknownClass, .unusedClass, .unusedInput, .trainedPrompts,
      .badSweep,
      .unknownColumn, .missingColumn, .unknownMetric, .numericMode,
    ]
    for code in DiagnosticCode.allCases where !others.contains(code) {
      let explanation = code.explanation
      guard explanation.wrong.overrides.isEmpty else { continue }
      for (example, isValid) in [(explanation.wrong, false), (explanation.right, true)] {
        let source = SourceFile(name: "a.yaml", folder: "/", bytes: example.bytes)
        guard isValid || Self.shapes.contains(code) else { continue }
        guard case .success(let json) = Document.json(of: source) else { continue }
        instances.append(json)
        expected.append((code, isValid))
      }
    }
    let complaints = try JSONSchemaValidator.complaints(
      instances, schema: ExperimentSchema(Toys.registry).json)
    for ((code, isValid), complaint) in zip(expected, complaints) {
      #expect(complaint.isEmpty == isValid, "\(code): \(complaint)")
    }
    #expect(expected.filter { !$0.isValid }.count >= 10)
  }
}
