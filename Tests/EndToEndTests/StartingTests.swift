// How the program is started, and what becomes of its file meanwhile, must not matter.

import Testing

@Suite struct StartingTests {
  let place: BuiltPlumb

  init() throws {
    place = try BuiltPlumb()
    try place.write("{\"id\": \"a\", \"t\": \"x\"}\n", to: "d.jsonl")
    let program = "inputs: [{name: rows}], outputs: [{name: file, type: file}]"
    try place.write(
      """
      version: 1
      name: x
      stages:
        rows: {uses: data, with: {path: d.jsonl, prompt: "{t}", id: id}}
        slow: {uses: command, in: {rows: rows}, with: {shell: true, run: ["sleep 0.5; cp {in.rows} {out.file}"], \(program)}}
        next: {uses: command, in: {rows: rows}, needs: [slow], with: {run: [cp, "{in.rows}", "{out.file}"], \(program)}}
      """, to: "x.yaml")
  }

  @Test(arguments: ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
  func `closed standard descriptors change nothing, and no message lands in a file`(_ closed: String) throws {
    let run = try place.run("run x.yaml \(closed)")
    #expect(run.status == 0, "\(run.error)")
    let lock = try place.shell("cat runs/x/*/lock;")
    #expect(lock.output.isEmpty, "\(lock.output)")
    let plan = try place.run("plan x.yaml --check")
    #expect(plan.status == 0, "\(plan.output)")
  }

  @Test func `of two stages with one key the second waits for the first, whatever --wait says`() throws {
    let same =
      "{uses: command, with: {shell: true, run: ['sleep 0.5; echo > {out.f}'], outputs: [{name: f, type: file}]}}"
    try place.write("version: 1\nname: x\nstages:\n  a: \(same)\n  b: \(same)\n", to: "x.yaml")
    let run = try place.run("run x.yaml --wait 0")
    #expect(run.status == 0, "\(run.error)")
    #expect(
      run.error.contains("wait    b is being computed by this run at `a`, which has the same key"),
      "\(run.error)")
    #expect(run.error.contains("1 stage run, 1 cached"), "\(run.error)")
  }

  @Test func `a run goes on with the program it was started from when its file is replaced`() throws {
    let run = try place.shell(
      """
      cp '\(place.binary)' copy; ./copy run x.yaml & run=$!
      until grep -q node-started runs/x/*/events.jsonl 2>/dev/null; do sleep 0.05; done
      rm copy; printf '#!/bin/sh\\nexit 3\\n' > copy; chmod +x copy
      wait $run; exit $?;
      """)
    #expect(run.status == 0, "\(run.error)")
    #expect(run.error.contains("done    next"), "\(run.error)")
  }
}
