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

  @Test
  func `a run that is pushed comes with its results, its folder and the logs of what it found computed`()
    throws
  {
    #expect(place.plumb("run tiny.yaml").status == 0)
    #expect(place.shell("sed -i 's/temperature: 1.5/temperature: 1.2/' tiny.yaml") == "")
    #expect(place.plumb("run tiny.yaml").status == 0)
    let log = place.plumb("logs cold").output
    let pushed = place.plumb("cache push stick @last")
    // Of the first run, which computed `rows` and `cold`, the folder alone: its other results are not needed.
    #expect(
      pushed.status == 0 && pushed.error.hasPrefix("5 results copied (")
        && pushed.error.hasSuffix("2 run folders copied, 0 already present\n"), "\(pushed.error)")
    let again = place.plumb("cache push stick tiny.yaml")
    #expect(
      again.error.hasPrefix("3 results copied (")
        && again.error.contains("5 already present\n0 run folders copied, 2 "),
      "\(again.error)")

    // Elsewhere, without a store and without runs.
    let away = "mkdir away && cp -r model rows.jsonl tiny.yaml away/ && mkdir away/.plumb && cd away && "
    let pulled = place.plumb("cache pull ../stick tiny", before: away)
    #expect(pulled.status == 0 && pulled.error.contains("2 run folders copied"), "\(pulled.error)")
    let there = "cd away && "
    #expect(place.plumb("plan tiny.yaml --check", before: there).status == 0)
    #expect(place.plumb("runs --csv", before: there).output.split(separator: "\r\n").count == 3)
    let show = place.plumb("show @last", before: there)
    #expect(show.status == 0 && show.output.contains("3 run, 2 cached"), "\(show.output)")
    #expect(place.plumb("logs cold", before: there).output == log && !log.isEmpty)
    #expect(place.plumb("samples @last cold", before: there).status == 0)
    #expect(place.plumb("cache verify", before: there).status == 0)

    // What a cut leaves of a folder is no run, and the next attempt completes it.
    _ = place.shell("cd away/runs/tiny; rm $(ls | head -1)/events.jsonl")
    #expect(place.plumb("runs --csv", before: there).output.split(separator: "\r\n").count == 2)
    #expect(
      place.plumb("cache pull ../stick", before: there).error.contains(
        "1 run folder copied, 1 already present"))

    for (arguments, words) in [
      ("cache push other nothing", "there is no run `nothing`"),
      ("cache pull stick nothing", "there is no run `nothing`"),
      ("cache pull nowhere tiny", "there is no store at `nowhere`"),
    ] {
      let wrong = place.plumb(arguments)
      #expect(wrong.status == 2 && wrong.error.contains(words), "\(wrong.error)")
    }
    #expect(!place.shell("ls").contains("other"))
    #expect(place.plumb("cache push whole").status == 0)
    let none = place.plumb("cache pull whole tiny")
    #expect(
      none.status == 2 && none.error.contains("`whole` holds no runs; `plumb cache push whole EXPERIMENT`"))
  }

  @Test func `evicted bytes that export restores leave no run behind`() throws {
    #expect(place.plumb("run tiny.yaml").status == 0)
    let runs = place.shell("ls -A runs/tiny")
    #expect(place.plumb("cache gc --max-size 0KiB --older-than 0s").status == 0)
    let taken = place.plumb("export tiny.yaml::hot.rows taken")
    #expect(taken.status == 0 && taken.error.contains("evicted"), "\(taken.error)")
    #expect(place.shell("ls -A runs/tiny") == runs && place.shell("ls .plumb/tmp") == "")
    #expect(place.plumb("show @last").output.contains("plumb run tiny.yaml"))
  }

  @Test func `an address that is not there ends with its own code and what is near`() {
    let ran = place.plumb("run tiny.yaml")
    #expect(ran.status == 0, "\(ran.error)")
    let unknown = place.plumb("export tiny.yaml::evaluat elsewhere")
    #expect(unknown.status == 2 && unknown.error.contains("did you mean `evaluate`?"), "\(unknown.error)")
    #expect(place.plumb("export tiny.yaml elsewhere").status == 2)
  }
}
