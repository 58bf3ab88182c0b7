// `plumb plot`: metrics of a run over iterations, in the terminal and as a file; a sparkline in `show`.

import Testing

@Suite struct PlotTests {
  let place: BuiltPlumb

  init() throws {
    place = try BuiltPlumb()
    try place.write((0..<4).map { "{\"id\": \"r\($0)\", \"t\": \"x\"}\n" }.joined(), to: "d.jsonl")
    try place.write(
      """
      version: 1
      name: drawn
      stages:
        start: {uses: data, with: {path: d.jsonl, prompt: "{t}", id: id}}
        l:
          loop: {times: 3, carry: {rows: {first: start, next: cut.rows}}}
          stages:
            cut:
              uses: command
              in: {rows: rows}
              with: {shell: true, run: ["head -n -1 {in.rows} > {out.rows}"], inputs: [{name: rows}], outputs: [{name: rows}]}
            count:
              uses: command
              in: {rows: cut}
              with: {shell: true, run: ["n=$(wc -l < {in.rows}); echo \\"{\\\\\\"n\\\\\\": $n, \\\\\\"n_se\\\\\\": 0.5, \\\\\\"loss\\\\\\": [3, 2, $n]}\\" > {out.m}"], inputs: [{name: rows}], outputs: [{name: m, type: metrics}]}
      metrics: {left: l@all.count.n, last: l@last.count.n}
      """, to: "x.yaml")
    let run = try place.run("run x.yaml")
    #expect(run.status == 0, "\(run.error)")
  }

  @Test func `a declared metric is drawn over its iterations`() throws {
    let drawn = try place.run("plot")
    #expect(drawn.status == 0 && drawn.output.hasPrefix("left\n"), "\(drawn)")
    #expect(drawn.output.contains("iteration") && drawn.output.contains("o"), "\(drawn.output)")
    let same = try place.run("plot l.count.n")
    #expect(
      same.output.split(separator: "\n").dropFirst() == drawn.output.split(separator: "\n").dropFirst(),
      "\(same)")
    let written = try place.run("plot left l@last.count.loss -o x.svg")
    let svg = place.text("x.svg")
    #expect(
      written.status == 0 && svg.hasPrefix("<svg") && svg.contains("left, iteration 3") == false, "\(written)"
    )
    // Three points with whiskers, then three steps of the last iteration alone.
    #expect(
      svg.ranges(of: "<circle").count == 6 && svg.contains("step 3: 1<") && svg.contains("± 0.5"), "\(svg)")
  }

  @Test func `what there is not is said`() throws {
    let unknown = try place.run("plot lft")
    #expect(unknown.status == 2 && unknown.error.contains("did you mean `left`?"), "\(unknown.error)")
    let none = try place.run("plot start.n")
    #expect(none.status == 2 && none.error.contains("nothing has been measured"), "\(none)")
    let other = try place.run("plot left -o x.pdf")
    #expect(other.status == 2 && other.error.contains("NAME.png"), "\(other.error)")
  }

  /// By a program of that name which says what it was given.
  @Test func `PNG is made by librsvg, and what to install is said where it is missing`() throws {
    _ = try place.shell(
      #"mkdir bin && printf '#!/bin/sh\necho "$@" > given; cp "$7" "$6"\n' > bin/rsvg-convert && chmod +x bin/rsvg-convert;"#
    )
    let made = try place.run("plot left -o x.png", before: "PATH=$PWD/bin:$PATH")
    #expect(made.status == 0 && place.text("x.png").hasPrefix("<svg"), "\(made.error)")
    #expect(place.text("given").hasPrefix("--zoom 2 --background-color white --output "))
    #expect(try place.shell("ls x.png.svg;").status != 0, "nothing is left behind")
    let missing = try place.run("plot left -o y.png", before: "PATH=/nowhere")
    #expect(missing.status == 6 && missing.error.contains("librsvg2-bin"), "\(missing.error)")
  }

  @Test func `show has a curve in a word`() throws {
    let shown = try place.run("show @last")
    #expect(shown.output.contains("█▄▁") || shown.output.contains("█▅▁"), "\(shown.output)")
  }
}
