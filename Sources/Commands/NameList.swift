// Names on a command line, with commas between them: `--columns prompt,rewards`.

import ArgumentParser

struct NameList: ExpressibleByArgument {
  let names: [String]

  init(argument: String) { names = argument.split(separator: ",").map(String.init) }
}
