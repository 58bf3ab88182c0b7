// The user's own configuration: prices of servers, and what is wrong with one.

import JSON
import Runner
import TestFolder
import Testing

@Suite struct UserConfigurationTests {
  let folder = TemporaryFolder()

  private func read(_ text: String) throws -> UserConfiguration {
    try folder.write(text, to: "config.yaml")
    return try UserConfiguration.read("\(folder.path)/config.yaml")
  }

  private func server(_ identity: String, _ model: String?) -> ServerModel {
    var server = ServerModel(url: "https://elsewhere/v1", identity: identity)
    server.model = model
    return server
  }

  @Test func `without a file there is nothing`() throws {
    let none = try UserConfiguration.read("\(folder.path)/nowhere.yaml")
    #expect(none.prices.isEmpty && none.tracking.isEmpty)
    #expect(none.price(of: server("host/v1", "m")) == nil)
  }

  @Test func `a price belongs to an identity, and that of a model goes before that of all`() throws {
    let configuration = try read(
      """
      prices:
        - {server: host/v1, input: 1, output: 2}
        - {server: host/v1, model: m, input: 0.15, output: 0.6, currency: EUR}
        - {server: host/v1, model: m, input: 9, output: 9}
        - {server: free/v1, model: m, input: 0, output: 0}

      """)
    typealias Price = ServerModel.Price
    #expect(
      configuration.price(of: server("host/v1", "m")) == Price(input: 0.15, output: 0.6, currency: "EUR"))
    for model in ["other", "M", nil] {
      #expect(
        configuration.price(of: server("host/v1", model)) == Price(input: 1, output: 2, currency: "USD"))
    }
    #expect(configuration.price(of: server("free/v1", "m")) == Price(input: 0, output: 0, currency: "USD"))
    #expect(configuration.price(of: server("free/v1", "n")) == nil)
    #expect(configuration.price(of: server("elsewhere/v1", "m")) == nil)
    let price = try #require(configuration.price(of: server("host/v1", "m")))
    #expect(price.cost(promptTokens: 2_000_000, completionTokens: 500_000) == 0.6)
  }

  @Test(arguments: [
    ("[1]", ["your configuration must be a mapping"]),
    ("price: []", ["has no key called `price`"]),
    ("prices: {server: a}", ["`prices` must be a list"]),
    ("prices: [a]", ["an entry of `prices` must be a mapping"]),
    ("prices: [{input: 1, output: 1}]", ["an entry of `prices` lacks the key `server`"]),
    ("prices: [{server: a, input: 1}]", ["an entry of `prices` lacks the key `output`"]),
    ("prices: [{server: a}, {server: b, output: 1}]", ["lacks the key `input`", "lacks the key `input`"]),
    ("prices: [{server: a, input: -1, output: x}]", ["`input` of an entry of `prices` must be"]),
    ("prices: [{server: a, input: 1, output: 1, outptu: 2}]", ["`outptu`"]),
    ("prices: [{server: 1, input: 1, output: 1}]", ["`server` of an entry of `prices` must be"]),
    ("prices: [{server: a, input: 1, output: 1, currency: 3}]", ["`currency` of an entry of `prices`"]),
    ("track: {mflow: {uri: x}}", ["`mflow`"]),
    ("prices: [", ["this is not YAML"]),
  ]) func `a mistake is said with its place`(text: String, words: [String]) throws {
    try folder.write(text, to: "config.yaml")
    do throws(DiagnosticList) {
      _ = try UserConfiguration.read("\(folder.path)/config.yaml")
      Issue.record("`\(text)` was taken")
    } catch {
      let errors = error.diagnostics.filter { $0.severity == .error }
      #expect(errors.count == words.count, "\(errors.map(\.message))")
      for (found, expected) in zip(errors, words) {
        #expect(found.message.contains(expected), "\(found.message)")
        #expect(found.span?.file.name.hasSuffix("config.yaml") == true)
      }
    }
  }
}
