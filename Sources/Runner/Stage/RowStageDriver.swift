// Drives a row stage item by item: journal, shards, assembly.

struct RowStageDriver<S: RowStage> {
  let stage: S
  let context: StageContext
  func run() throws {}
}
