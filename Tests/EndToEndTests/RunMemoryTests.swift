// What a run of many stages needs of memory, and what a stage says of its own.

import Glibc
import Testing

@Suite(.serialized) struct RunMemoryTests {
  let place: BuiltPlumb

  init() throws {
    place = try BuiltPlumb()
    try place.write((0..<8).map { "{\"id\": \"r\($0)\", \"t\": \"x\"}\n" }.joined(), to: "d.jsonl")
  }

  private func write(times: Int) throws {
    try place.write(
      """
      version: 1
      name: l
      stages:
        o: {uses: data, with: {path: d.jsonl, prompt: "{t}", id: id}}
        l:
          loop: {times: \(times), carry: {rows: {first: o, next: draw.rows}}}
          stages:
            draw: {in: {rows: rows}, with: {count: 8, replacement: true}}
      """, to: "l.yaml")
  }

  @Test func `a stage costs the run no memory that stays`() throws {
    func kibibytes(times: Int) throws -> Int {
      try write(times: times)
      let run = try place.run("run l.yaml")
      #expect(run.status == 0, "\(run.error)")
      return run.peakKibibytes
    }
    let few = try kibibytes(times: 10)
    let many = try kibibytes(times: 110)
    // 75 KiB a stage would be 7.3 MiB.
    #expect(many - few < 4096, "\(few) and \(many) KiB")
  }

  @Test func `the peak of a stage is its own, not that of the run that started it`() throws {
    func peak(times: Int) throws -> Int {
      try write(times: times)
      let run = try place.run("run l.yaml --force o --until o")
      let words = run.error.split(separator: "\n").first { $0.contains("peak") }?.split(separator: " ") ?? []
      return try #require(words.dropLast().last.flatMap { Int($0) }, "\(run.error)")
    }
    // In MiB; the larger plan takes 13 more of the run.
    let small = try peak(times: 1)
    #expect(try peak(times: 5000) - small < 4)
  }
}
