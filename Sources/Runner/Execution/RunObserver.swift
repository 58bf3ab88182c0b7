// What watches a run: told of every event.

/// Told of every event in order, from one thread.
package protocol RunObserver: AnyObject {
  func observe(_ event: RunEvent, in plan: Plan)
  /// Called about ten times a second while something runs.
  func tick()
  /// Called once, when the run's folder has all that it will have.
  func end()
  /// What kept it from noting all it was told, for the end of the run.
  var problem: (any Error)? { get }
}

extension RunObserver {
  package func tick() {}
  package func end() {}
  package var problem: (any Error)? { nil }
}
