// What a page says, before it is HTML or Markdown.

import Charts

package struct Page: Sendable {
  package struct Picture: Sendable {
    /// Of its file, without an ending; unique in the page.
    package let name: String
    package let drawing: any Drawing

    package init(_ name: String, _ drawing: any Drawing) {
      self.name = name
      self.drawing = drawing
    }
  }

  package enum Block: Sendable {
    case paragraph(String)
    /// What went wrong.
    case warning(String)
    case facts([(name: String, value: String)])
    /// The heading first.
    case table([[String]])
    /// One that is long, behind its title.
    case foldedTable([[String]], title: String)
    /// Small ones beside each other.
    case pictures([Picture])
    /// One that may be wider than the page.
    case widePicture(Picture)
    /// A text as it is, behind its title unless it is open.
    case code(String, title: String, isOpen: Bool)
    case samples(SampleTable)
  }

  package struct Section: Sendable {
    package let title: String
    package let blocks: [Block]

    package init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }

    /// A link's target: the title in small letters and hyphens.
    var anchor: String {
      String(title.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
    }
  }

  package let title: String
  /// Below it: what this is a page of.
  package let subtitle: String
  package let state: String
  /// Those without anything to say are left out.
  package let sections: [Section]

  package init(_ title: String, subtitle: String, state: String, _ sections: [Section]) {
    self.title = title
    self.subtitle = subtitle
    self.state = state
    self.sections = sections.filter { !$0.blocks.isEmpty }
  }
}

/// Generations of the same prompts at several addresses.
package struct SampleTable: Sendable {
  package struct Sample: Sendable {
    package let text: String
    package let scores: [(name: String, value: Double)]

    package init(text: String, scores: [(name: String, value: Double)]) {
      self.text = text
      self.scores = scores
    }
  }

  package struct Prompt: Sendable {
    package let id: String
    package let text: String
    /// `best`, `worst`, `drawn`; what it was chosen as.
    package let kinds: [String]
    /// By address; `count` is how many there are.
    package let answers: [(samples: [Sample], count: Int)]

    package init(id: String, text: String, kinds: [String], answers: [(samples: [Sample], count: Int)]) {
      self.id = id
      self.text = text
      self.kinds = kinds
      self.answers = answers
    }
  }

  package let addresses: [String]
  package let prompts: [Prompt]
  /// How they were chosen, in words.
  package let note: String

  package init(addresses: [String], prompts: [Prompt], note: String) {
    self.addresses = addresses
    self.prompts = prompts
    self.note = note
  }
}
