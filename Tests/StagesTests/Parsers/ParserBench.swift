// Makes a parser of what is written for it.

import JSON
import Runner
import Stages
import Testing

/// What the parser makes of a reply, with its defaults where nothing is written.
func parsed(_ written: JSON, _ reply: String) throws -> ParsedReply {
  try parser(written).parse(reply)
}

func parser(_ written: JSON) throws -> any ReplyParser {
  let kind = try #require(replyParsers.first { $0.kind == written["kind"]?.stringValue })
  let field = try #require(AnnotateStage.declaration.options.first { $0.name == "parser" })
  return kind.init(StageOptions(field.completed(written)))
}
