// A plan with what its servers cost.

extension Plan {
  /// The same plan with the prices of its servers.
  package func priced(_ configuration: UserConfiguration) -> Plan {
    var plan = self
    for index in plan.models.indices {
      guard case .server(var server) = plan.models[index].source else { continue }
      server.limits.price = configuration.price(of: server)
      plan.models[index].source = .server(server)
    }
    return plan
  }
}
