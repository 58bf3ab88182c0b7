// What a hostile template may cost, and what an error says.

import JSON
import Models
import Testing

@Suite struct ChatTemplateBoundTests {
  /// The error of a template under small bounds, or what it writes.
  private func outcome(_ source: String) throws -> String {
    var limits = TemplateLimits()
    limits.steps = 20_000
    limits.characters = 1 << 20
    limits.outputBytes = 1 << 10
    do {
      return try ChatTemplate(source).render(
        fields: JSONObject(), settings: JSONObject(), now: 0, limits: limits
      ).text
    } catch let error as ChatTemplateError {
      return error.description
    }
  }

  private static let doubling =
    "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}"

  private static func nested(_ levels: Int, around inner: String) -> String {
    String(repeating: "{% for v in [1] %}", count: levels) + inner
      + String(repeating: "{% endfor %}", count: levels)
  }

  @Test(arguments: [
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    doubling + "{{ ns.s }}", doubling + "{{ ns.s | tojson }}", doubling + "{{ ns.s == [ns.s[0], ns.s[1]] }}",
    "{{ ('a' * 99999).find('a' * 50000 ~ 'b') }}", "{{ 'a' * 50000 ~ 'b' in 'a' * 99999 }}",
    "{{ range(9999) | unique | list }}", "{{ range(30000) | sort }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(30) }}",
    "{% set k = 'a' * 9000 %}{% for i in range(99) %}{{ {'b': 1}[k] }}{% endfor %}",
    "{% set k = 'a' * 9000 %}{{ range(999) | map(attribute=k) | list }}",
    "{% set k = 'a' * 9000 %}{% for i in range(9) %}{{ 'b'.strip(k) }}{% endfor %}",
    "{% set k = 'a' * 9000 %}{% for i in range(9) %}{{ 'b' | trim(k) }}{% endfor %}",
    "{% set k = 'a' * 9000 %}{% for i in range(9) %}{{ k | int }}{% endfor %}",
    "{% set k = '1' * 9000 %}{% for i in range(9) %}{{ k | float }}{% endfor %}",
    "{% for i in range(9) %}{{ ('a' * 9999) | upper | length }}{% endfor %}",
    "{% for i in range(9) %}{{ ('a' * 9999) | title | length }}{% endfor %}",
    "{% for i in range(9) %}{{ ['\u{1}' * 2000] | string | length }}{% endfor %}",
    "{% for i in range(9) %}{{ ('\u{1}' * 2000) | tojson | length }}{% endfor %}",
    nested(40, around: "{% for i in range(2500) %}{{ z }}{% endfor %}"),
  ])
  func `a template that does not end is stopped`(source: String) throws {
    let outcome = try outcome(source)
    #expect(
      outcome.contains("more than 20000 steps") || outcome.contains("more than 1048576 characters"),
      "\(outcome)")
  }

  @Test(arguments: [
    "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{{ 'ab' * 9223372036854775807 }}", "{{ [1] * 9223372036854775807 }}", "{{ ('a' * 400000) | upper }}",
    "{{ 'a\nb' | indent(9223372036854775807) }}", "{{ [1] | tojson(indent=9223372036854775807) }}",
    "{{ ('a\n' * 2000) | indent('x' * 2000) }}", "{{ [[[[1]]]] | tojson(indent='x' * 300000) }}",
    "{{ range(9000) | join('x' * 2000) }}", "{{ ('a' * 2000) | replace('a', 'b' * 2000) }}",
    "{{ ('a' * 2000) | replace('', 'b' * 2000) }}", "{{ ('a ' * 99999).split() }}",
    "{{ ('\n' * 99999).splitlines() }}",
    "{{ ('a' * 99999) | list }}", "{{ range(100000) | list }}",
  ])
  func `a template that makes too much is stopped`(source: String) throws {
    #expect(try outcome(source).contains("it makes texts and lists of more than 1048576 characters"))
  }

  @Test(arguments: [
    (String(repeating: "a", count: 1 << 20) + "a", "it has 1048577 bytes, more than the 1048576"),
    ("{{ " + String(repeating: "a", count: 257) + " }}", "a name has more than 256 characters"),
    ("{{ f(" + (0...100).map { "a\($0)=1" }.joined(separator: ",") + ") }}", "more than 100 arguments"),
    (
      "{% macro f(" + (0...100).map { "a\($0)" }.joined(separator: ",") + ") %}{% endmacro %}",
      "the macro `f` has more than 100 parameters"
    ),
  ])
  func `what a template is written in is bounded`(source: String, words: String) throws {
    #expect(try outcome(source).contains(words))
  }

  @Test func `an iterator's items are had one after the other`() throws {
    #expect(
      try outcome(
        "{% set i = range(4) | map('string') %}{{ i | first }}{{ i | first }}{{ i | list }}{{ i | list }}")
        == "01['2', '3'][]")
  }

  @Test(arguments: ["{{ 'a' * 1025 }}", "{{ 'é' * 513 }}", "{% set x %}{{ 'a' * 1025 }}{% endset %}"])
  func `what is written is bounded in bytes`(source: String) throws {
    #expect(try outcome(source).contains("writes more than 1024 bytes"))
  }

  @Test(arguments: [
    "{{ " + String(repeating: "(", count: 9999) + "1" + String(repeating: ")", count: 9999) + " }}",
    "{{ " + String(repeating: "[", count: 9999) + String(repeating: "]", count: 9999) + " }}",
    "{{ " + String(repeating: "not ", count: 9999) + "1 }}",
    "{{ " + String(repeating: "-", count: 9999) + "1 }}",
    "{{ " + String(repeating: "1 if 1 else ", count: 9999) + "1 }}",
    "{{ 1" + String(repeating: " + 1", count: 9999) + " }}",
    "{{ 1" + String(repeating: " | abs", count: 9999) + " }}",
    "{{ a" + String(repeating: ".a", count: 9999) + " }}",
    "{{ a" + String(repeating: "()", count: 9999) + " }}",
    "{{ a" + String(repeating: "[0]", count: 9999) + " }}",
    String(repeating: "{% if 1 %}", count: 9999), String(repeating: "{% for x in [1] %}", count: 9999),
    "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = [ns.s] %}{% endfor %}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% macro f(n) %}{% for x in [1] %}{{ (f(n + 1) | upper) ~ 'x' }}{% endfor %}{% endmacro %}{{ f(1) }}",
  ])
  func `nesting is bounded`(source: String) throws {
    let outcome = try outcome(source)
    #expect(
      outcome.contains("deeper than 64 levels") || outcome.contains("deeper than 256 levels"), "\(outcome)")
  }

  @Test(arguments: [
    ("{{ 9223372036854775807 + 1 }}", "exceeds 64 bits"),
    ("{{ 2 ** 9223372036854775807 }}", "exceeds 64 bits"),
    ("{{ (-9223372036854775807 - 1) // -1 }}", "exceeds 64 bits"),
    ("{{ (-9223372036854775807 - 1) % -1 }}", "0"),
    ("{{ -(-9223372036854775807 - 1) }}", "exceeds 64 bits"), ("{{ 1e300 | int }}", "exceeds 64 bits"),
    ("{{ (-9223372036854775807 - 1) | abs }}", "exceeds 64 bits"), ("{{ 'inf' | float | int }}", "infinite"),
    ("{{ 99999999999999999999 }}", "exceeds 64 bits"), ("{{ range(100001) }}", "more than 100000 items"),
    ("{{ 'abc'[9223372036854775807:-9223372036854775807:9223372036854775807] }}", ""),
    ("{{ 'abc'[-9223372036854775807 - 1] }}", ""),
    ("{{ range(9223372036854775806, 9223372036854775807, 5) | list }}", "[9223372036854775806]"),
    ("{% set ns = namespace() %}{% set ns.a = ns %}", "a namespace inside"),
    ("{{ '\\ud800' }}", "no Unicode scalar"),
  ])
  func `nothing traps`(source: String, words: String) throws {
    #expect(try outcome(source).contains(words) || words.isEmpty)
  }

  @Test(arguments: [
    ("a\n{% include 'x' %}", "chat template, line 2: the statement `include` is not supported"),
    ("\n\n{{ x | wordwrap }}", "chat template, line 3: the filter `wordwrap` is not supported"),
    ("{{ 1 is upper }}", "chat template, line 1: the test `upper` is not supported"),
    ("{{ 'a'.center(3) }}", "chat template, line 1: the method `center` of a string is not supported"),
    ("{{ '%s' % 1 }}", "chat template, line 1: formatting by `%` is not supported"),
    ("{% for x in [] recursive %}{% endfor %}", "chat template, line 1: a recursive `for` is not supported"),
    ("{{ f(*x) }}", "chat template, line 1: unpacked arguments are not supported"),
    ("{{ a.b.c }}", "chat template, line 1: `a` is undefined, and has no `b`"),
    ("{% if x %}\n", "chat template, line 1: the template ends where `endif` was expected"),
    ("{{ 'a' + 1 }}", "chat template, line 1: `+` between a string and an integer"),
    ("\n{{ raise_exception('no') }}", "the chat template refuses these messages (line 2): `no`"),
  ])
  func `an error names the construct and its line`(source: String, message: String) throws {
    #expect(try outcome(source) == message)
  }

  @Test func `without a time there is no strftime_now, and a template that calls it fails`() throws {
    let error = #expect(throws: ChatTemplateError.self) {
      try ChatTemplate("{{ strftime_now('%Y') }}").render([], settings: JSONObject(), now: nil)
    }
    #expect(error?.needsTime == true)
    let own = "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}26 Jul 2024{% endif %}"
    #expect(try ChatTemplate(own).render([], settings: JSONObject(), now: nil).text == "26 Jul 2024")
    #expect(try ChatTemplate(own).render([], settings: JSONObject(), now: 86_399).text == "01 Jan 1970")
  }
}
