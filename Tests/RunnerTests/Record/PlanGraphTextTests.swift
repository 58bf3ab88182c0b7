import Runner
import Testing

@Suite struct PlanGraphTextTests {
  private func text(_ language: PlanGraphText.Language) throws -> String {
    let project = try TemporaryProject()
    try project.write("rows.jsonl", "{}\n")
    try project.write("sft", "weights")
    let plan = try project.plan(
      """
      version: 1
      name: graph
      models: {sft: {path: sft}}
      stages:
        rows: {uses: data, with: {path: rows.jsonl}}
        quark:
          loop: {times: 2, carry: {policy: {first: sft, next: train.model}}}
          stages:
            sample: {in: {model: policy, prompts: rows}, with: {max_new_tokens: 4}}
            train: {in: {model: policy, rows: sample}, with: {lr: 0.1}}
        after: {uses: sample, in: {model: quark@last.train, prompts: rows}, with: {max_new_tokens: 4}, needs: [quark@1.sample]}
      """)
    let waits = Decision.waits(on: [])
    return PlanGraphText(plan, plan.nodes.map { _ in waits }).text(language)
  }

  @Test func `mermaid has a box for each iteration, quoted labels and dotted needs`() throws {
    #expect(
      try text(.mermaid) == """
        flowchart TD
          n0["rows"]:::waits
          n5["after"]:::waits
          subgraph g0 ["quark@1"]
            n1["sample"]:::waits
            n2["train"]:::waits
          end
          subgraph g1 ["quark@2"]
            n3["sample"]:::waits
            n4["train"]:::waits
          end
          n0 -->|"rows"| n1
          n1 -->|"rows"| n2
          n2 -->|"model"| n3
          n0 -->|"rows"| n3
          n2 -->|"model"| n4
          n3 -->|"rows"| n4
          n4 -->|"model"| n5
          n0 -->|"rows"| n5
          n1 -.->|"needs"| n5
          classDef cached fill:#d9ead3,stroke:#666,color:#111
          classDef run fill:#fce5cd,stroke:#666,color:#111
          classDef waits fill:#eeeeee,stroke:#666,color:#111
          classDef skipped fill:#ffffff,stroke:#666,color:#111

        """)
  }

  @Test func `dot has clusters and balanced braces`() throws {
    let dot = try text(.dot)
    #expect(dot.hasPrefix("digraph plan {\n") && dot.hasSuffix("}\n"))
    #expect(dot.contains("subgraph cluster_1 {\n    label=\"quark@2\"\n    n3 [label=\"sample\""))
    #expect(dot.contains("  n1 -> n5 [label=\"needs\", style=dotted]\n"))
    #expect(dot.utf8.count { $0 == UInt8(ascii: "{") } == dot.utf8.count { $0 == UInt8(ascii: "}") })
  }

  @Test func `addresses are parted at dots that are not in a number of a matrix`() {
    #expect(PlanAddress.parts(of: "a@1.b@2.c") == ["a@1", "b@2", "c"])
    #expect(PlanAddress.parts(of: "score@lr=0.5,rm=a.rows") == ["score@lr=0.5,rm=a", "rows"])
  }
}
