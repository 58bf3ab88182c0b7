// What plain scalars mean: the YAML 1.2 core schema.

import Runner
import Testing

@Suite struct ScalarValueTests {
  static let table: [(String, ScalarValue)] = [
    ("", .null), ("~", .null), ("null", .null), ("Null", .null), ("NULL", .null), ("nULL", .string("nULL")),
    ("true", .bool(true)), ("True", .bool(true)), ("FALSE", .bool(false)), ("tRUE", .string("tRUE")),
    ("yes", .string("yes")), ("no", .string("no")), ("on", .string("on")), ("off", .string("off")),
    ("y", .string("y")), ("NO", .string("NO")),
    ("0", .int(0)), ("-0", .int(0)), ("+12", .int(12)), ("012", .int(12)), ("0o17", .int(15)),
    ("0o18", .string("0o18")), ("1", .int(1)), ("2.5", .double(2.5)), ("3", .int(3)), ("4e1", .double(40)),
    ("5", .int(5)), ("6", .int(6)), ("7", .int(7)), ("8", .int(8)), ("9.5", .double(9.5)), ("99", .int(99)),
    ("abcdef", .string("abcdef")), ("nullable", .string("nullable")), ("-8", .int(-8)),
    ("0x1F", .int(31)), ("0xg", .string("0xg")), ("-0x1", .string("-0x1")), ("0b1", .string("0b1")),
    ("1_000", .string("1_000")), ("1:30", .string("1:30")), ("12:30:00", .string("12:30:00")),
    ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ("9223372036854775808", .largeInteger(9_223_372_036_854_775_808)),
    ("2e-5", .double(2e-5)), ("1e3", .double(1000)), ("1.", .double(1)), (".5", .double(0.5)),
    ("-.5", .double(-0.5)),
    ("1.e2", .double(100)), (".5e1", .double(5)), ("1.5E+3", .double(1500)), ("1e", .string("1e")),
    ("e5", .string("e5")),
    (".", .string(".")), ("-", .string("-")), ("+", .string("+")), ("+.e1", .string("+.e1")),
    ("1.2.3", .string("1.2.3")),
    (".inf", .double(.infinity)), ("-.INF", .double(-.infinity)), ("inf", .string("inf")),
    ("nan", .string("nan")),
    ("infinity", .string("infinity")), ("0x", .string("0x")), ("0x1p3", .string("0x1p3")),
    ("1e999", .double(.infinity)),
    ("2024-01-01", .string("2024-01-01")), ("１", .string("１")), ("0.0.1", .string("0.0.1")),
  ]

  @Test(arguments: table) func `resolves`(_ text: String, _ value: ScalarValue) {
    #expect(ScalarValue.resolve(plain: text) == value)
  }

  @Test func `not a number is a number`() {
    guard case .double(let value) = ScalarValue.resolve(plain: ".nan") else {
      Issue.record("not a double")
      return
    }
    #expect(value.isNaN)
  }
}
