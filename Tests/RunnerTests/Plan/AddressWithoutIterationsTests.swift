import Runner
import Testing

@Suite struct AddressWithoutIterationsTests {
  @Test(arguments: [
    ("quark@3.train", "quark.train"), ("a@12.b@2", "a.b"), ("try@n=8.count", "try@n=8.count"),
    ("try@n=8@2.x", "try@n=8.x"), ("before", "before"), ("a@2x.b", "a@2x.b"), ("@", "@"), ("", ""),
  ]) func `iterations go, cells of a matrix stay`(_ address: String, _ expected: String) {
    #expect(PlanAddress.withoutIterations(address) == expected)
  }
}
