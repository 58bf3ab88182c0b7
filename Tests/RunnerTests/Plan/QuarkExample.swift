// The experiment that the planner's tests plan.

let quark = """
  version: 1
  name: quark-tldr
  description: Quark on Reddit TL;DR
  seed: 42
  params:
    iterations: 2
    lr: 2e-5
    stem: tldr
  models:
    sft: {path: sft}
    reward: {path: rm}
  defaults: {retries: 1, resources: {cpus: 2, memory: 8GiB, time: 4h}}
  stages:
    train_prompts: {uses: data, with: {path: train.jsonl, prompt: "${stem}: {prompt} $${x}"}}
    valid_prompts: {uses: data, with: {path: train.jsonl, limit: 1000}}
    quark:
      loop:
        times: $iterations
        carry:
          policy:  {first: sft,  next: train.model}
          history: {first: null, next: pool.state}
      stages:
        draw:     {uses: draw, in: {rows: train_prompts}, with: {count: 2048}}
        sample:
          uses: sample
          in:   {model: policy, prompts: draw}
          with: {n: 96, temperature: 0.9, top_p: 0.9, max_new_tokens: 64, condition: best}
          shards: 8
          engine: {memory: 4GiB}
        score:    {uses: score, in: {model: reward, rows: sample}}
        quantize: {in: {rows: score, history: history}, with: {classes: 5, scope: prompt}}
        pool:     {in: {rows: quantize}, with: {per_class: 2}}
        train:
          in:   {model: policy, reference: sft, rows: pool.rows}
          with: {objective: {kind: conditional, kl: 0.05, entropy: 0.06}, lr: $lr, batch_size: 8}
        answer:   {uses: sample, in: {model: train.model, prompts: valid_prompts}, with: {temperature: 0, max_new_tokens: 64, condition: best}}
        judge:    {uses: score, in: {model: reward, rows: answer}}
        evaluate: {in: {rows: judge, reference: sft}, with: {metrics: [reward, perplexity, distinct]}}
    report: {uses: evaluate, in: {rows: quark@1.judge}, needs: [quark@last.train]}
  metrics: {reward: quark@last.evaluate.reward, curve: quark@all.evaluate.reward, first: report.reward}

  """
