/// Makes a crash easy to follow: as few losses as still break something, as early as possible.
struct CrashShrinker<Scenario: CrashScenario> {
  let trial: CrashTrial<Scenario>
  /// The first point of the group: from here to the trial's place nothing became durable and nothing was promised.
  let groupStart: Int

  func shrink(_ failing: [Int]) -> CrashFinding {
    var kept = fillUp(failing, before: trial.event)
    let points = groupStart...trial.event
    let event = points.first { fails(clip(kept, before: $0)) } ?? trial.event
    kept = fillUp(clip(kept, before: event), before: event)
    return CrashFinding(of: trial, events: event, kept: kept, problems: trial.problems(kept))
  }

  /// Lets every line survive whose loss does not matter.
  private func fillUp(_ failing: [Int], before event: Int) -> [Int] {
    let full = trial.lines.lines.map { $0.stores(before: event) }
    if fails(full) { return full }
    var kept = failing
    for place in kept.indices where kept[place] < full[place] {
      var fuller = kept
      fuller[place] = full[place]
      if fails(fuller) { kept = fuller }
    }
    return kept
  }

  private func clip(_ kept: [Int], before event: Int) -> [Int] {
    zip(trial.lines.lines, kept).map { min($0.stores(before: event), $1) }
  }

  private func fails(_ kept: [Int]) -> Bool { !trial.problems(kept).isEmpty }
}
