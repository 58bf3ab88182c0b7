// The keys of the language as a page of docs/reference.

import System

package enum LanguagePage {
  package static func markdown(_ registry: StageRegistry) -> String {
    var text = """
      # The experiment file

      The keys of the language. What a stage takes under `in:` and `with:` is on [its own page](stages/README.md); what
      names and parameters mean is in the guide. `\(Program.name) schema` prints all of it as JSON Schema, for editors.

      """
    for (title, keys) in [
      ("Top level", Language.experiment), ("A model", Language.model),
      ("The key of a model's server", Language.serverKey),
      ("The limits of a model's server", Language.serverLimits), ("`serve` of a model", Language.serve),
      ("A stage", Language.stage),
      ("A group or loop", Language.group), ("`loop`", Language.loop), ("A carried value", Language.carry),
      ("A condition of `until` or `expect`", Language.condition),
      ("`matrix`, beside its axes", Language.cells),
      ("`engine`", Language.engine), ("`resources`", Language.resources),
      ("`checkpoint`", Language.checkpoint), ("`sweep`", Language.sweep),
    ] {
      text += "\n## \(title)\n\n"
      text += StagePages.rows(
        ["key", "value", ""],
        keys.map {
          ["`\($0.name)`", words($0.shape, registry) + ($0.isRequired ? ", required" : ""), $0.summary]
        })
    }
    return text
  }

  private static func words(_ shape: LanguageShape, _ registry: StageRegistry) -> String {
    switch shape {
    case .version: "`1`"
    case .integer(let range): OptionType.integer(range).description
    case .number(let range, let exclusive): OptionType.number(range, exclusiveMinimum: exclusive).description
    case .string: "string"
    case .choice(let words): OptionType.choice(words).description
    case .numericMode: OptionType.choice(registry.numericModes).description
    case .experimentName: "letters, digits, `_`, `-`, `.`"
    case .time: "a time: `90s`, `30min`, `4h`"
    case .bytes: "a size: `512MiB`, `8GiB`"
    case .digest: "64 hexadecimal digits"
    case .remote(let scheme): "`\(scheme.form)`"
    case .reference: "an address"
    case .optional(let inner): words(inner, registry) + ", or null"
    case .keys: "a mapping"
    case .named(let inner): "names, each with " + words(inner, registry)
    case .list(let element): "a list, each " + words(element, registry)
    case .oneOrMore(let element): words(element, registry) + ", or a list of them"
    case .model: "a model"
    case .stages: "stages, groups and loops by name"
    case .condition: "a condition: `{metric: ADDRESS, above: NUMBER}`"
    case .bound: "a number, or the name of a metric"
    case .matrix: "axes: `{lr: [1e-5, 2e-5]}`"
    case .anything: "any value"
    }
  }
}
