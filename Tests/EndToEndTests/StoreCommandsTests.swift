// `cache` and `export` on the built program, as a person meets them.

import Testing

@Suite struct StoreCommandsTests {
  let place: CommandsFixture
  init() throws {
    place = try CommandsFixture()
    try place.writeExperiment()
  }

  @Test func `a result is listed, taken out and not overwritten`() throws {
    let ran = place.plumb("run tiny.yaml")
    #expect(ran.status == 0, "\(ran.error)")

    let listed = place.plumb("cache ls")
    #expect(listed.status == 0 && listed.output.contains("hot"), "\(listed.output)\(listed.error)")
    #expect(place.plumb("cache verify").status == 0)

    let taken = place.plumb("export tiny.yaml::hot.rows taken")
    #expect(taken.status == 0, "\(taken.error)")
    let rows = place.text("taken/rows.jsonl")
    #expect(rows.contains("\"r1\"") && rows.contains("\"generations\""))
    let again = place.plumb("export tiny.yaml::hot.rows taken")
    #expect(again.status != 0 && place.text("taken/rows.jsonl") == rows, "\(again.error)")

    #expect(place.plumb("cache gc --max-size 1B --dry-run").status == 0)
    #expect(place.plumb("plan tiny.yaml --check").status == 0)
  }

  @Test func `what is pushed and pulled is cached where it arrives`() throws {
    #expect(place.plumb("run tiny.yaml").status == 0)
    let pushed = place.plumb("cache push stick")
    #expect(pushed.status == 0, "\(pushed.error)")
    #expect(place.plumb("plan tiny.yaml --check", before: "mv .plumb lost; ").status == 11)
    let pulled = place.plumb("cache pull stick", before: "rm -rf .plumb; ")
    #expect(pulled.status == 0, "\(pulled.error)")
    let plan = place.plumb("plan tiny.yaml --check")
    #expect(plan.status == 0, "\(plan.output)")
    #expect(place.plumb("cache verify").status == 0)
    // What is there is there, evicted or not.
    #expect(place.plumb("cache gc --max-size 1B --older-than 0s").status == 0)
    let again = place.plumb("cache push stick")
    #expect(again.error.hasPrefix("0 results copied (0 objects, 0 B), 5 already present"), "\(again)")
  }

  @Test func `an address that is not there ends with its own code and what is near`() {
    let ran = place.plumb("run tiny.yaml")
    #expect(ran.status == 0, "\(ran.error)")
    let unknown = place.plumb("export tiny.yaml::evaluat elsewhere")
    #expect(unknown.status == 2 && unknown.error.contains("did you mean `evaluate`?"), "\(unknown.error)")
    #expect(place.plumb("export tiny.yaml elsewhere").status == 2)
  }
}
