// Sweeps on the built binary: the same trials whatever stops them, failures as results, early ends, and what is shown.

import Glibc
import JSON
import System
import Testing
import TinyModel

@Suite struct SweepTests {
  let place: BuiltPlumb

  init() throws {
    place = try BuiltPlumb()
    try place.write("{\"id\": \"r0\", \"t\": \"x\"}\n", to: "d.jsonl")
  }

  /// A loop of four iterations whose loss is (x - 1)^2 + (y - 2)^2 / iteration + seed / 1000; with x above 2.9 it fails.
  private func write(_ sweep: String, metric: String = "l@all.step.loss", other: String = "") throws {
    let program =
      "cp {in.rows} {out.rows}; n=$(wc -l < {in.rows}); printf '{\\\"id\\\": \\\"s%s\\\", \\\"prompt\\\": \\\"x\\\"}\\\\n' $n >> {out.rows};"
      + " awk -v x=${x} -v y=${y} -v n=$n 'BEGIN { if (x > 2.9) exit 9;"
      + " printf \\\"{\\\\\\\"loss\\\\\\\": %.6f}\\\", (x - 1) * (x - 1) + (y - 2) * (y - 2) / n + ${s} / 1000 }' > {out.m}"
    try place.write(
      """
      version: 1
      name: swept
      params: {x: 0.0, y: 0.0, s: 0}
      stages:
        start: {uses: data, with: {path: d.jsonl, prompt: "{t}", id: id}}
        l:
          loop: {times: 4, carry: {rows: {first: start, next: step.rows}}}
          stages:
            step:
              uses: command
              in: {rows: rows}
              with: {shell: true, run: ["\(program)"], inputs: [{name: rows}], outputs: [{name: rows}, {name: m, type: metrics}]}
      metrics: {loss: \(metric)}
      \(other)
      sweep: \(sweep)
      """, to: "x.yaml")
  }

  private static let target = "metric: {name: loss, goal: minimize}"

  /// The heading, then by trial its state, its values, its metric and the error; numbers to six digits.
  private func trials() throws -> [String] {
    let shown = try place.run("sweep x.yaml --csv")
    #expect(shown.status == 0, "\(shown.error)")
    return shown.output.split(separator: "\r\n").map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map { cell in
        Double(cell).map { "\(($0 * 1e6).rounded() / 1e6)" } ?? String(cell)
      }.joined(separator: ",")
    }
  }

  private func runs() throws -> Int {
    try File.names(in: "\(place.folder)/runs/swept").count {
      FileStatus.of("\(place.folder)/runs/swept/\($0)")?.isDirectory == true
    }
  }

  /// First outcomes are known by what was measured: a model that holds other bytes under its name is another one.
  @Test func `other bytes of a model under the same name are measured anew`() throws {
    try TinyModel().write(to: "\(place.folder)/model")
    try place.write(
      """
      version: 1
      name: swept
      params: {x: 0}
      models: {m: {path: model}}
      stages:
        size:
          uses: command
          in: {model: m}
          with:
            shell: true
            run: ["printf '{\\\"n\\\": %d}' $(($(wc -c < {in.model}/tokenizer.json) + ${x})) > {out.m}"]
            inputs: [{name: model, type: model}]
            outputs: [{name: m, type: metrics}]
      metrics: {n: size.n}
      sweep: {method: tpe, trials: 2, params: {x: {integers: [1, 9]}}, metric: {name: n, goal: minimize}}
      """, to: "x.yaml")
    func measured() throws -> [Double] {
      let run = try place.run("run x.yaml")
      #expect(run.status == 0, "\(run.error)")
      return try trials().dropFirst().compactMap { line in
        let cells = line.split(separator: ",")
        return zip([Double(cells[3]), Double(cells[2])], [1, -1]).reduce(0) {
          $0 + ($1.0 ?? .nan) * Double($1.1)
        }
      }
    }
    let first = try measured()
    #expect(first.count == 2 && first[0] == first[1] && first[0] > 100, "\(first)")
    #expect(try measured() == first && runs() == 2)
    _ = try place.shell("printf '   ' >> model/tokenizer.json;")
    #expect(try measured() == first.map { $0 + 3 })
  }

  @Test func `all trials run, what they share runs once, and a finished sweep runs nothing`() throws {
    try write("{params: {x: [0, 1, 3], y: [1, 2]}, repeat: {s: [1, 3]}, \(Self.target)}")
    let first = try place.run("run x.yaml")
    #expect(first.status == 0 && first.error.contains("4 of 6 trials done, 2 failed"), "\(first.error)")
    #expect(
      first.error.contains("trial 4 is the best by `loss`, ahead by 0.2500 ± 0.001414"), "\(first.error)")
    #expect(
      try trials() == [
        "trial,state,x,y,n,loss,loss_se", "1.0,done,0.0,1.0,2.0,1.252,0.001",
        "2.0,done,0.0,2.0,2.0,1.002,0.001",
        "3.0,done,1.0,1.0,2.0,0.252,0.001", "4.0,done,1.0,2.0,2.0,0.002,0.001", "5.0,failed,3.0,1.0,0.0,,",
        "6.0,failed,3.0,2.0,0.0,,",
      ])
    let count = try runs()
    #expect(count == 10, "8 that were done and the first of either trial that failed")
    let again = try place.run("run x.yaml")
    #expect(again.status == 0 && again.output == first.output)
    #expect(try runs() == count)
    let status = try place.run("runs swept --csv")
    #expect(status.output.split(separator: "\r\n").count == 11, "\(status.output)")
  }

  @Test func `a sweep that is killed goes on to the same trials, and more of them keep the earlier ones`()
    throws
  {
    let method =
      "{method: tpe, lag: 2, params: {x: {uniform: [0, 3.2]}, y: {uniform: [0, 4], step: 0.5}}, \(Self.target), trials:"
    try write("\(method) 16}")
    let whole = try place.run("run x.yaml")
    #expect(whole.status == 0, "\(whole.error)")
    let expected = try trials()
    #expect(expected.count == 17 && expected.contains { $0.contains("failed") }, "\(expected)")

    let other = try SweepTests()
    try other.write("\(method) 13}")
    for delay in ["0.4", "0.9"] {
      _ = try other.place.shell(
        "'\(other.place.binary)' run x.yaml & p=$!; sleep \(delay); kill -9 $p; wait $p;")
    }
    #expect(try other.place.run("run x.yaml").status == 0)
    try other.write("\(method) 16}")
    let rest = try other.place.run("run x.yaml")
    #expect(rest.status == 0, "\(rest.error)")
    #expect(try other.trials() == expected)
  }

  @Test(arguments: [
    "method: tpe, lag: 3, trials: 12, params: {x: {uniform: [0, 3.2]}, y: {uniform: [0, 4]}}",
    "params: {x: [0, 1, 2], y: [1, 2, 3]}, repeat: {s: [1, 2]}, early_terminate: {kind: halving, factor: 3}",
  ]) func `one worker or four run the same trials to the same numbers`(_ sweep: String) throws {
    try write("{\(sweep), \(Self.target)}")
    let one = try place.run("run x.yaml")
    #expect(one.status == 0, "\(one.error)")
    let expected = try trials()
    let other = try SweepTests()
    try other.write("{\(sweep), \(Self.target)}")
    let four = try other.place.run("run x.yaml --workers 4")
    #expect(four.status == 0 && four.output == one.output, "\(four.error)")
    #expect(try other.trials() == expected)
    let again = try other.place.run("run x.yaml --workers 4")
    #expect(again.output == one.output && !again.error.contains("start "), "\(again.error)")
  }

  @Test func `a retry that succeeds changes no suggestion`() throws {
    try write(
      "{method: tpe, lag: 1, trials: 14, params: {x: {uniform: [0, 2]}, y: {uniform: [0, 4]}}, \(Self.target)}"
    )
    let text = place.text("x.yaml")
    // Fails in every trial while the file is there: the options are the same.
    let failing = text.replacing(
      "cp {in.rows}", with: "test ! -e '\(place.folder)/broken' || exit 3; cp {in.rows}")
    try place.write(failing, to: "x.yaml")
    try place.write("", to: "broken")
    let broken = try place.run("run x.yaml")
    #expect(broken.status == 0 && broken.error.contains("0 of 14 trials done, 14 failed"), "\(broken.error)")
    let values = try trials().map { $0.split(separator: ",").dropFirst(2).prefix(2).joined(separator: ",") }
    unlink("\(place.folder)/broken")
    #expect(try place.run("run x.yaml").error.contains("14 failed"), "failed trials wait to be asked for")
    let retried = try place.run("run x.yaml --retry-failed")
    #expect(retried.status == 0 && retried.error.contains("14 of 14 trials done"), "\(retried.error)")
    let lines = try trials()
    #expect(lines.dropFirst().allSatisfy { $0.contains("\"done, failed first\"") }, "\(lines)")
    #expect(
      lines.map { $0.replacing("\"done, failed first\"", with: "failed") }
        .map { $0.split(separator: ",").dropFirst(2).prefix(2).joined(separator: ",") } == values)
  }

  @Test func `halving ends two of three trials at each rung, the same after an interruption`() throws {
    let sweep =
      "{params: {x: [0, 1, 2], y: [1, 2, 3]}, \(Self.target), early_terminate: {kind: halving, least: 1, factor: 3, cohort: 9}}"
    try write(sweep)
    _ = try place.shell("'\(place.binary)' run x.yaml & p=$!; sleep 0.6; kill -9 $p; wait $p;")
    let ran = try place.run("run x.yaml")
    #expect(ran.status == 0 && ran.error.contains("1 of 9 trials done, 8 ended early"), "\(ran.error)")
    let lines = try trials()
    // After one iteration x = 1 is best, then what has the smaller numbers; after three the one with y = 2.
    #expect(lines.filter { $0.contains("ended after 1") }.count == 6)
    #expect(lines.filter { $0.contains("ended after 3") }.count == 2)
    #expect(lines.filter { $0.contains("done") } == ["5.0,done,1.0,2.0,0.0,"])
    let listed = try place.run("runs swept")
    #expect(listed.output.contains("ended"), "\(listed.output)")
    let compared = try place.run("compare swept")
    #expect(
      compared.status == 0 && compared.error.contains("trials that were ended early"), "\(compared.error)")
    #expect(compared.output.split(separator: "\n").count == 2, "\(compared.output)")
  }

  @Test func `the median ends what is worse than half of those before it, and arrivals are replayed`() throws
  {
    try write(
      "{method: list, trials: [{x: 1, y: 2}, {x: 1, y: 1}, {x: 2, y: 2}, {x: 0, y: 0}], lag: 1, \(Self.target), early_terminate: {kind: median, trials: 2}}"
    )
    let median = try place.run("run x.yaml")
    #expect(median.status == 0 && median.error.contains("2 ended early"), "\(median.error) \(median.output)")
    #expect(try trials().suffix(2).allSatisfy { $0.contains("ended after 1") })
    try write(
      "{method: list, trials: [{x: 2, y: 2}, {x: 1, y: 1}, {x: 1, y: 2}, {x: 0, y: 0}], \(Self.target), early_terminate: {kind: asha, factor: 2}}"
    )
    let arrivals = try place.run("run x.yaml")
    let table = try trials()
    #expect(arrivals.status == 0 && arrivals.error.contains("ended early"), "\(arrivals.error)")
    unlink("\(place.folder)/.plumb/index")
    #expect(try place.run("run x.yaml").output == arrivals.output)
    #expect(try trials() == table)
  }

  @Test func `one run with a varied parameter given, or with none varied`() throws {
    try write("{params: {x: [0, 1]}, repeat: {seed: [1, 2]}, \(Self.target)}", metric: "l@last.step.loss")
    let one = try place.run("run x.yaml --set x=2")
    #expect(one.status == 0 && one.error.contains("one run: `--set` gives `x`"), "\(one.error)")
    #expect(one.output.contains("loss  2"), "\(one.output)")
    let none = try place.run("run x.yaml --no-sweep")
    #expect(none.status == 0 && none.output.contains("loss  2"), "\(none.output)")
    #expect(try runs() == 2)
    let seeded = try place.run("run x.yaml --set seed=2")
    #expect(seeded.error.contains("one run: `--set` gives `seed`"), "\(seeded.error)")
    #expect(try place.run("run x.yaml").status == 0)
    let compared = try place.run("compare swept --metric loss")
    #expect(compared.error.contains("differ in `seed`"), "\(compared.error) \(compared.output)")
  }

  @Test func `a trial is taken out`() throws {
    try write("{params: {x: [0, 1, 2]}, \(Self.target)}")
    let removed = try place.run("sweep x.yaml --prune 2")
    #expect(removed.status == 0 && !removed.output.contains("\n2 "), "\(removed.output)")
    #expect(try place.run("run x.yaml").status == 0)
    #expect(try trials().map { $0.prefix(2) } == ["tr", "1.", "3."])
    let unknown = try place.run("sweep x.yaml --prune 4")
    #expect(unknown.status == 2 && unknown.error.contains("the sweep has 1 to 3"), "\(unknown.error)")
  }

  @Test func `a mistake of one trial is said before any runs`() throws {
    try write("{params: {x: [0, 1]}, repeat: {seed: [1, 2]}}")
    let text = place.text("x.yaml").replacing("id: id}", with: "id: id, limit: $limit}")
      .replacing("s: 0}", with: "s: 0, limit: 1}").replacing("x: [0, 1]", with: "limit: [1, 0]")
    try place.write(text, to: "x.yaml")
    let ran = try place.run("run x.yaml")
    #expect(ran.status == 3 && ran.error.contains("in the trial with limit=0, seed=1"), "\(ran.error)")
    #expect(ran.error.contains("`limit` must be an integer"), "\(ran.error)")
    #expect(FileStatus.of("\(place.folder)/runs") == nil)
    let piped = try place.shell("'\(place.binary)' run - < x.yaml;")
    #expect(piped.status == 2 && piped.error.contains("write it to a file"), "\(piped.error)")
    let part = try place.run("run x.yaml --until start")
    #expect(part.status == 2 && part.error.contains("--no-sweep"), "\(part.error)")
    let none = try place.run("sweep x.yaml --importance")
    #expect(none.status != 0, "\(none.output)")
  }

  @Test func `a folder that may only be read is shown`() throws {
    guard geteuid() != 0 else { return }
    try write("{params: {x: [0, 1]}, \(Self.target)}")
    #expect(try place.run("run x.yaml").status == 0)
    let expected = try trials()
    _ = try place.shell("rm runs/swept/trials.jsonl; chmod -R a-w runs .plumb;")
    defer { _ = try? place.shell("chmod -R u+w runs .plumb;") }
    #expect(try trials() == expected)
  }

  @Test func `a trial that fails before a comparison can be run again, and others are not decided anew`()
    throws
  {
    try write(
      "{params: {x: [0, 1, 2, 3]}, \(Self.target), early_terminate: {kind: halving, factor: 2, cohort: 4}}")
    let failing = place.text("x.yaml").replacing(
      "cp {in.rows}", with: "test ! -e '\(place.folder)/broken' -o ${x} != 1.0 || exit 3; cp {in.rows}")
    try place.write(failing.replacing("x: [0, 1, 2, 3]", with: "x: [0.0, 1.0, 2.0, 2.5]"), to: "x.yaml")
    try place.write("", to: "broken")
    let broken = try place.run("run x.yaml")
    #expect(broken.status == 0 && broken.error.contains("1 failed"), "\(broken.error)")
    let others = try trials().filter { !$0.hasPrefix("2.0,") }
    unlink("\(place.folder)/broken")
    let retried = try place.run("run x.yaml --retry-failed")
    #expect(retried.status == 0 && retried.output.contains("done, failed first"), "\(retried)")
    #expect(try trials().filter { !$0.hasPrefix("2.0,") } == others)
  }

  @Test func `a colleague pulls a sweep, and has its table and nothing to run`() throws {
    try write("{params: {x: [0, 1, 3]}, \(Self.target)}")
    let first = try place.run("run x.yaml")
    #expect(first.status == 0 && first.error.contains("1 failed"), "\(first.error)")
    let other = try SweepTests()
    try other.place.write(place.text("x.yaml"), to: "x.yaml")
    let shared = "'\(other.place.folder)/shared'"
    let pushed = try place.run("cache push \(shared) x.yaml --without-models")
    #expect(pushed.status == 0, "\(pushed.error)")
    let pulled = try other.place.run("cache pull \(shared)")
    #expect(pulled.status == 0 && pulled.error.contains("3 run folders copied"), "\(pulled.error)")
    let shown = try other.place.run("run x.yaml")
    #expect(
      shown.status == 0 && shown.output == first.output && !shown.error.contains("trial 1 of"), "\(shown)")
    #expect(try other.place.run("cache pull \(shared)").status == 0)
    #expect(other.place.text("runs/swept/trials.jsonl") == place.text("runs/swept/trials.jsonl"))
  }

  @Test func `what explains the metric, the best in LaTeX, all as JSON`() throws {
    try write("{params: {x: [0, 1, 2, 2.5], y: [1, 2]}, \(Self.target)}")
    #expect(try place.run("run x.yaml").status == 0)
    let shares = try place.run("sweep x.yaml --importance").output.split(separator: "\n")
    #expect(shares.count == 3 && shares[1].hasPrefix("x "), "\(shares)")
    let best = try place.run("sweep x.yaml --best 1 --latex").output
    #expect(best.contains("\\toprule") && best.contains("\n4 & done"), "\(best)")
    let json = try JSON(parsing: Array(place.run("sweep x.yaml --json").output.utf8))
    #expect(json.arrayValue?.count == 8 && json.arrayValue?[3]["metrics"]?["loss"]?["mean"]?.doubleValue == 0)
    #expect(json.arrayValue?[3]["runs"] == [["x=1", "y=2"]])
  }
}
