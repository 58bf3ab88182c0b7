// Addresses in a loop that ended early: `@last` is the last iteration that ran, everywhere; what was skipped is said to be.

import Testing

@Suite struct EarlyEndAddressTests {
  let place: BuiltPlumb

  /// Ends after the second of four iterations.
  init() throws {
    place = try BuiltPlumb()
    try place.write((0..<4).map { "{\"id\": \"r\($0)\", \"t\": \"x\"}\n" }.joined(), to: "d.jsonl")
    try place.write(
      """
      version: 1
      name: ends
      stages:
        start: {uses: data, with: {path: d.jsonl, prompt: "{t}", id: id}}
        l:
          loop:
            times: 4
            carry: {rows: {first: start, next: cut.rows}}
            until: {metric: count.n, at_most: 2}
          stages:
            cut:
              uses: command
              in: {rows: rows}
              with: {shell: true, run: ["echo cut $(wc -l < {in.rows}); head -n -1 {in.rows} > {out.rows}"], inputs: [{name: rows}], outputs: [{name: rows}]}
            count:
              uses: command
              in: {rows: cut}
              with: {shell: true, run: ["printf '{\\"n\\": %s}' $(wc -l < {in.rows}) > {out.n}"], inputs: [{name: rows}], outputs: [{name: n, type: metrics}]}
      """, to: "x.yaml")
    let run = try place.run("run x.yaml")
    #expect(run.status == 0 && run.error.contains("4 skipped"), "\(run.error)")
  }

  @Test func `results are taken out of the last iteration that ran`() throws {
    let taken = try place.shell(
      """
      run=$(ls -d runs/ends/*); p='\(place.binary)'
      for a in x.yaml::l@2.cut x.yaml::l@last.cut x.yaml::l@last.cut.rows $run::l@last.cut $run::l@last.cut.rows; do
        $p export $a out.$((n += 1)) || exit 1
      done
      cmp out.1/rows.jsonl out.2/rows.jsonl && cmp out.1/rows.jsonl out.3/rows.jsonl && cmp out.1/rows.jsonl out.4/rows.jsonl &&
      cmp out.1/rows.jsonl out.5/rows.jsonl;
      """)
    #expect(taken.status == 0, "\(taken.error)")
  }

  @Test func `explain-node, spin, samples and logs mean the same iteration`() throws {
    let explained = try place.run("explain-node x.yaml l@last.cut")
    #expect(explained.status == 0 && explained.output.contains("l@2.cut"), "\(explained)")
    let spun = try place.run("spin x.yaml l@last.cut")
    #expect(spun.status == 0 && spun.output.contains("identical to the stored result"), "\(spun)")
    let samples = try place.run("samples x.yaml l@last.cut")
    #expect(samples.error.contains("hold no generations"), "\(samples)")
    for run in ["", "@last "] {
      let logs = try place.run("logs \(run)l@last.cut")
      #expect(logs.status == 0 && logs.output.contains("cut 3"), "\(logs)")
    }
    let shown = try place.run("show @last")
    #expect(shown.output.contains("skipped"), "\(shown)")
  }

  @Test func `a skipped stage is said to be skipped`() throws {
    let run = try place.shell("ls -d runs/ends/*;").output.dropLast()
    for command in ["spin x.yaml l@4.cut", "export x.yaml::l@4.cut no", "samples x.yaml l@3.cut"] {
      let ending = try place.run(command)
      #expect(ending.status == 2, "\(command): \(ending)")
      #expect(
        ending.error.contains(
          "was skipped: the loop `l` ended after iteration 2; write `l@2` or `l@last`"), "\(ending)")
    }
    let ofRun = try place.run("export '\(run)::l@4.cut' no")
    #expect(ofRun.status == 2 && ofRun.error.contains("was skipped in the run"), "\(ofRun)")
    let explained = try place.run("explain-node x.yaml l@4.cut")
    #expect(explained.status == 0 && explained.output.contains("skipped"), "\(explained)")
  }

  @Test func `an address that names no model is refused as that`() throws {
    try place.write(
      "version: 1\nname: o\nmodels: {m: {run: x.yaml::l@last.cut}}\nstages:\n"
        + "  rows: {uses: data, with: {path: d.jsonl, prompt: '{t}', id: id}}\n"
        + "  s: {uses: sample, in: {model: m, prompts: rows}, with: {max_new_tokens: 2}}\n", to: "o.yaml")
    let plan = try place.run("plan o.yaml")
    #expect(
      plan.status == 2 && plan.error.contains("names no model; its outputs are `rows` (rows)"), "\(plan)")
  }
}
