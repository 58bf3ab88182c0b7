// From a changed input back to what changed first: through the records, which keep the keys their inputs ran under.

import JSON

extension Resolution {
  /// Where a node's inputs and options come from now; upstream nodes without a record are left out.
  package func provenance(of node: PlanNode) -> Provenance {
    Provenance(
      sources: node.inputs.compactMap { input in
        switch input.source {
        case .node(let index, let output):
          records[index].map {
            (input.port, .node(address: plan.nodes[index].address, output: output, key: $0.key))
          }
        case .model(let name): (input.port, .model(name: name))
        }
      }, origins: node.origins)
  }

  /// How a node's preimage differs from an earlier one, each difference with the place that set it.
  package func changes(of node: PlanNode, from old: NodeRecord, to new: JSON) -> [StaleReason] {
    let now = provenance(of: node)
    return ContentKey.differences(from: old.preimage, to: new).flatMap { difference in
      pieces(of: difference).map { difference in
        .changed(
          difference,
          origin: difference.field == .option
            ? origin(of: difference.name, node)
            : difference.field == .input ? serverOrigin(of: difference.name, node) : nil,
          source: difference.field == .input ? now.source(difference.port) : nil,
          file: difference.field == .option ? fileChange(difference.name, node, old) : nil)
      }
    }
  }

  /// In a list of files each file is a difference of its own.
  private func pieces(of difference: KeyDifference) -> [KeyDifference] {
    guard difference.field == .option, case .array(let old)? = difference.old,
      case .array(let new)? = difference.new, old.count == new.count,
      new.contains(where: { $0["sha256"] != nil })
    else { return [difference] }
    return new.indices.filter { old[$0] != new[$0] }.map {
      KeyDifference(field: .option, name: "\(difference.name).\($0)", old: old[$0], new: new[$0])
    }
  }

  private func fileChange(_ option: String, _ node: PlanNode, _ old: NodeRecord) -> FileChange? {
    guard let files = node.files.first(where: { UTF8Key($0.option) == UTF8Key(option) }) else { return nil }
    let new = states(of: files)
    guard !new.isEmpty else { return nil }
    return FileChange(
      old: old.provenance.files.filter { UTF8Key($0.option) == UTF8Key(option) }, new: new)
  }

  /// For the record of a node that has just run.
  package func fileStates(of node: PlanNode) -> [FileState] { node.files.flatMap(states) }

  private func states(of files: OptionFiles) -> [FileState] {
    files.parts.flatMap { part -> [FileState] in
      switch part {
      case .file(let path): return state(path, path, files.option)
      case .dataSet(let set, let digest):
        guard let data = try? DataSetSource.standard().fetched(set, digest) else { return [] }
        return zip(data.paths, data.names).flatMap { path, name in
          let place = set.text(at: data.commit ?? set.revision, files: name)
          return state(path, "\(RemoteDataSet.scheme)\(place)", files.option)
        }
      }
    }
  }

  private func state(_ path: String, _ name: String, _ option: String) -> [FileState] {
    FileState(option: option, path: path, named: name, digest: try? store.digestOfInput(path)).map { [$0] }
      ?? []
  }

  /// What sets an option of a node, by its dotted path; nil in a plan that keeps no places.
  package func origin(of option: String, _ node: PlanNode) -> OptionOrigin? {
    if let written = node.origins.origin(of: option) { return .written(written) }
    let name = option.utf8.split(separator: UInt8(ascii: ".")).first.map { String(Substring($0)) } ?? option
    guard let field = try? declaration(of: node).options.first(where: { UTF8Key($0.name) == UTF8Key(name) }),
      let value = field.defaultValue
    else { return nil }
    // Inside a written option, what is not written itself is a default too.
    return node.options[name] == value || !node.origins.isEmpty ? .standard : nil
  }

  /// What sets a member of a server: `model.attempt` for the port `model`; nil of another input.
  package func serverOrigin(of member: String, _ node: PlanNode) -> OptionOrigin? {
    for input in node.inputs where member.utf8.starts(with: "\(input.port).".utf8) {
      guard case .model(let name) = input.source,
        let model = plan.models.first(where: { UTF8Key($0.name) == UTF8Key(name) })
      else { return nil }
      return model.origins.origin(of: String(member.dropFirst(input.port.count + 1))).map { .written($0) }
    }
    return nil
  }

  /// Why a node's inputs have other content than when its address last ran: the nodes upstream that gave other bytes,
  /// nearest first, down to those where something other than an input changed. Each node once.
  package func rootCause(of node: PlanNode) throws -> [CauseStep] {
    guard let last = try lastRecord(at: node.address), let key = try? key(of: node) else { return [] }
    var steps: [CauseStep] = []
    var seen: Set<String> = []
    var waiting = [(node: node, old: last, new: key.preimage)]
    while let current = waiting.popLast() {
      for difference in ContentKey.differences(from: current.old.preimage, to: current.new)
      where difference.field == .input {
        guard
          case .node(let index, _)? = current.node.inputs.first(where: {
            UTF8Key($0.port) == UTF8Key(difference.name)
          })?.source, let now = records[index],
          case .node(let address, _, let oldKey)? = current.old.provenance.source(difference.name),
          seen.insert(now.key).inserted
        else { continue }
        let upstream = plan.nodes[index]
        let rebound: [StaleReason] =
          UTF8Key(address) == UTF8Key(upstream.address) ? [] : [.rebound(from: address)]
        guard oldKey != now.key else {
          steps.append(CauseStep(address: upstream.address, reasons: rebound + [.otherBytes]))
          continue
        }
        // Without the earlier record the trail ends here.
        guard let before = try store.unverifiedRecord(oldKey) else {
          if !rebound.isEmpty { steps.append(CauseStep(address: upstream.address, reasons: rebound)) }
          continue
        }
        let reasons = changes(of: upstream, from: before, to: now.preimage)
        steps.append(CauseStep(address: upstream.address, reasons: rebound + reasons))
        waiting.append((upstream, before, now.preimage))
      }
    }
    return steps
  }
}
