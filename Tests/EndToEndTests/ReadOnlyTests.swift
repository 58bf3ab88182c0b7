// A project or a store that may only be read: what computes nothing works there, and what must write says where it cannot.

import Glibc
import Testing

@Suite struct ReadOnlyTests {
  let place: CommandsFixture

  init() throws {
    place = try CommandsFixture()
    try place.writeExperiment()
    _ = place.plumb("--version", before: "mkdir -p p/.git && mv *.yaml *.jsonl model p &&")
    let ran = place.plumb("run tiny.yaml", before: "cd p &&")
    #expect(ran.status == 0, "\(ran.error)")
    // So that something would have to be hashed, and noted, again.
    _ = place.plumb("--version", before: "sleep 0.2; touch p/rows.jsonl; sleep 0.2;")
  }

  /// In the project, of which a folder is mounted to be read only; for who may not mount, its rights say so.
  private func plumb(_ arguments: String, readOnly folder: String, before: String = "") -> (
    status: Int32, output: String, error: String
  ) {
    place.plumb(
      arguments,
      before: """
        if [ $(id -u) = 0 ]; then
          if ! unshare -m true 2>/dev/null; then exit 77; fi
          run() { unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd p && exec "$@"' "$PWD/\(folder)" "$@"; }
        else
          chmod -R a-w \(folder); trap 'chmod -R u+w \(folder)' EXIT; run() { (cd p && "$@"); }
        fi
        \(before)
        run
        """)
  }

  private static let reading = [
    "plan tiny.yaml", "plan tiny.yaml --check", "explain-node tiny.yaml rows", "check tiny.yaml",
    "config tiny.yaml",
    "samples tiny.yaml hot", "show @last", "runs", "status", "logs rows", "cache ls", "cache verify",
    "export tiny.yaml::evaluate /tmp/$$.plumb-test",
  ]

  @Test(arguments: reading) func `what computes nothing works in a project that may only be read`(
    _ command: String
  ) {
    let ending = plumb(command, readOnly: "p")
    if ending.status == 77 { return }
    #expect(ending.status == 0, "\(command): \(ending)")
  }

  @Test func `a run that finds everything done works on a store that may only be read`() {
    let ending = plumb("run tiny.yaml", readOnly: "p/.plumb")
    if ending.status == 77 { return }
    #expect(ending.status == 0 && ending.output.contains("reward"), "\(ending)")
  }

  @Test func `a run that has something to compute says what cannot be written`() {
    let store = plumb("run tiny.yaml --force rows", readOnly: "p/.plumb")
    if store.status == 77 { return }
    #expect(store.status == 6 && store.error.contains("/.plumb/locks/"), "\(store)")
    #expect(store.error.contains("`--store DIR` puts the store elsewhere"), "\(store)")
    let project = plumb("run tiny.yaml", readOnly: "p")
    #expect(project.status == 6, "\(project)")
    #expect(
      project.error.contains("every run is recorded in") && project.error.contains("/p/runs`"), "\(project)")
  }

  @Test func `a project without a store is planned where none can be made`() {
    let ending = plumb("plan tiny.yaml", readOnly: "p", before: "rm -rf p/.plumb;")
    if ending.status == 77 { return }
    #expect(ending.status == 0 && ending.output.contains("never ran"), "\(ending)")
    let run = plumb("run tiny.yaml --store /proc/nowhere/store", readOnly: "p/model")
    #expect(run.status == 6, "\(run)")
  }
}
