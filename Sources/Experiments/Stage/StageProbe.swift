// A reporter that only looks at a stage: the stage ends itself where it would begin to compute.

/// What it is shown is between it and the stage.
package protocol StageProbe: StageReporter {}
