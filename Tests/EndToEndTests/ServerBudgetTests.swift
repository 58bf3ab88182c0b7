// What asking costs: as `plan` says before, as the record says after, and the budgets that stop it.

import FaultyServer
import JSON
import Testing

@Suite struct ServerBudgetTests {
  private static let sample =
    "  sample: {in: {model: judge, prompts: prompts}, with: {temperature: 0, max_new_tokens: 20}}\n"

  @Test func `a budget of tokens stops before it is passed, and a higher one goes on`() throws {
    let project = try AskingProject(prompts: 8)
    // Each reply takes 15 tokens. The next may take what a body's bytes were seen to take at most, and 20 to write.
    try project.write(Self.sample, judge: "model: tiny, limits: {tokens: 100, concurrency: 1}")
    let stopped = try project.run("run x.yaml")
    #expect(stopped.status == 1, "\(stopped.error)")
    #expect(
      stopped.error.contains(
        "the budget of `judge` is used up: 75 of 100 tokens are spent, and the next request may take 3"),
      "\(stopped.error)")
    #expect(
      stopped.error.contains(
        "5 replies of this run are kept, and running again asks only for the 3 that are missing"))
    #expect(project.server.requestCount == 5)
    // Replies of earlier runs are not charged for again, so that the rest goes through with the same.
    try project.write(Self.sample, judge: "model: tiny, limits: {tokens: 1000, concurrency: 1}")
    let more = try project.run("run x.yaml")
    #expect(more.status == 0 && more.error.contains("3 replies asked · 0 replies replayed"), "\(more.error)")
    #expect(project.server.requestCount == 8)
    // Limits are in no key.
    try project.write(Self.sample, judge: "model: tiny, limits: {tokens: 1, requests_per_minute: 1}")
    #expect(try project.run("run x.yaml").error.contains("all 2 stages cached"))
  }

  @Test func `money is counted at the user's prices, and stops too`() throws {
    let project = try AskingProject(prompts: 8)
    let identity = String(project.server.url.dropFirst("http://".count)) + "/v1"
    // A reply is 10 tokens read and 5 written: 10 × 1 + 5 × 4 = 30 millionths.
    try project.plumb.write(
      """
      prices:
        - {server: "\(identity)", input: 7, output: 7}
        - {server: "\(identity)", model: tiny, input: 1, output: 4, currency: EUR}
      """, to: "config.yaml")
    try project.write(Self.sample, judge: "model: tiny, limits: {money: 0.0002, concurrency: 1}")
    let plan = try project.run("plan x.yaml")
    #expect(plan.output.contains(" EUR"), "\(plan.output)")
    let stopped = try project.run("run x.yaml")
    #expect(stopped.status == 1, "\(stopped.error)")
    // 4 replies are 120 millionths; a fifth may take 90 or a little more, by the bytes of its body.
    #expect(
      stopped.error.contains("the budget of `judge` is used up: 0.00012 of 0.0002 EUR are spent"),
      "\(stopped.error)")
    #expect(project.server.requestCount == 4)
    try project.write(Self.sample, judge: "model: tiny, limits: {money: 1, concurrency: 1}")
    let more = try project.run("run x.yaml")
    #expect(more.status == 0 && more.error.contains("cost EUR 0.00012"), "\(more.error)")
    #expect(project.server.requestCount == 8)
  }

  @Test func `a budget of money needs a price`() throws {
    let project = try AskingProject()
    try project.write(Self.sample, judge: "model: tiny, limits: {money: 1}")
    let result = try project.run("run x.yaml")
    #expect(result.status != 0 && result.error.contains("price"), "\(result.error)")
    #expect(project.server.requestCount == 0)
  }

  @Test func `plan says what will be asked, and nothing once it is kept`() throws {
    let project = try AskingProject(prompts: 3)
    try project.plumb.write(
      "prices: [{server: \"\(project.server.url.dropFirst("http://".count))/v1\", input: 1000000, output: 2000000}]",
      to: "config.yaml")
    try project.write(AskingProject.sample + "metrics: {}\n")
    #expect(try project.run("run x.yaml --until prompts").status == 0)
    let plan = try project.run("plan x.yaml")
    let line = try #require(plan.output.split(separator: "\n").first { $0.hasPrefix("`judge` is asked") })
    // 3 prompts, 2 samples of each, 20 tokens at most.
    #expect(
      line.contains("is asked about 6 times: about ") && line.contains(", at most 120 to write"), "\(line)")
    let read = try #require(line.firstMatch(of: /about ([0-9]+) tokens to read/).flatMap { Int($0.output.1) })
    #expect((6...120).contains(read), "\(line)")
    #expect(line.contains("at most about \(read + 240).00 USD"), "\(line)")
    #expect(try project.run("run x.yaml").status == 0)
    #expect(try !project.run("plan x.yaml").output.contains("is asked"))
  }

  @Test func `a configuration that is wrong is said before anything is asked`() throws {
    let project = try AskingProject()
    try project.write(Self.sample)
    try project.plumb.write("prices: [{server: a, input: -1, outptu: 2}]\n", to: "config.yaml")
    let result = try project.run("run x.yaml")
    #expect(result.status == 3 && result.error.contains("config.yaml:1"), "\(result.error)")
    #expect(result.error.contains("outptu"))
    #expect(project.server.requestCount == 0)
  }
}
