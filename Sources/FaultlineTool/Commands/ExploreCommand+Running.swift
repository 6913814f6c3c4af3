#if ModelCheck

  import ArgumentParser
  import CLinux
  import Faultline
  import FaultlineCheck
  import FaultlineWhatIf

  extension ExploreCommand {
    func explore() throws {
      _ = cl_stay_on_this_processor()
      if let schedule { return try replay(schedule) }
      let chosen = scenario.flatMap(Scenario.named).map { [$0] } ?? Scenario.all
      var rows: [Row] = []
      var finding: Counterexample?
      for scenario in chosen where finding == nil {
        let row = try explore(scenario)
        if !json { print(row.line) }
        finding = row.finding
        rows.append(row)
      }
      try report(rows, finding)
    }

    /// What became of one scenario.
    struct Row {
      let scenario: Scenario
      let isRandom: Bool
      let progress: Explorer.Progress
      let milliseconds: UInt64
      let finding: Counterexample?

      var line: String {
        let name = scenario.name + String(repeating: " ", count: max(0, 24 - scenario.name.count))
        let way = isRandom ? "random" : "every "
        let seconds = Double(milliseconds) / 1000
        return
          "\(name) \(way) \(progress.schedules) schedules, \(progress.states) states, longest \(progress.longest), "
          + "\(seconds) s"
      }
    }

    private func explore(_ scenario: Scenario) throws -> Row {
      let explorer = Explorer(scenario, bugs: try seeded(bug))
      var line = ProgressLine()
      let start = ContinuousClock.now
      let isRandom = random != nil || !scenario.isExhaustive
      let result: (finding: Counterexample?, progress: Explorer.Progress)
      if isRandom {
        let count = (random ?? 40_000) * (long ? 5 : 1)
        result = try explorer.draw(count: count, seed: seed) {
          line.show(scenario.name, fraction: Double($0.schedules) / Double(count))
          return true
        }
      } else {
        result = try explorer.exhaust(bound: bound) {
          line.show("\(scenario.name): \($0.schedules) schedules", fraction: nil)
          return true
        }
      }
      line.wipe()
      return Row(
        scenario: scenario, isRandom: isRandom, progress: result.progress,
        milliseconds: (ContinuousClock.now - start).milliseconds, finding: result.finding)
    }

    private func report(_ rows: [Row], _ finding: Counterexample?) throws {
      let schedules = rows.reduce(0) { $0 + $1.progress.schedules }
      let states = rows.reduce(0) { $0 + $1.progress.states }
      if json {
        print(
          JSON.object([
            .init("bound", .integer(Int64(bound))), .init("seed", .unsigned(seed)),
            .init("schedules", .integer(Int64(schedules))),
            .init("states", .integer(Int64(states))), .init("findings", .integer(finding == nil ? 0 : 1)),
            .init("scenarios", .array(rows.map(\.json))),
          ]).text)
      } else {
        print("\(rows.count) scenarios, \(schedules) schedules, \(states) states, \(finding == nil ? 0 : 1) findings")
      }
      if let finding { try tell(finding) }
    }

    private func tell(_ finding: Counterexample) throws {
      if !json { print(finding) }
      try TextFile.write(finding.text, to: output)
      Terminal.say("saved: faultline explore --schedule \(output)")
      throw ExitCode(ExitStatus.failed.rawValue)
    }

    private func replay(_ path: String) throws {
      let saved: SavedSchedule
      do { saved = try SavedSchedule(parsing: try TextFile.read(path)) } catch let error as ScheduleError {
        throw ValidationError("\(path): \(error)")
      }
      guard let scenario = Scenario.named(saved.scenario) else {
        throw ValidationError("\(path): no scenario is called \(saved.scenario)")
      }
      let explorer = Explorer(scenario, bugs: try seeded(saved.bug ?? bug))
      guard let finding = try explorer.replay(saved.schedule) else {
        print("\(scenario.name): this schedule breaks nothing")
        return
      }
      print(finding)
      throw ExitCode(ExitStatus.failed.rawValue)
    }

    private func seeded(_ name: String?) throws -> Set<SeededBug> {
      guard let name else { return [] }
      guard let bug = SeededBug(rawValue: name) else {
        throw ValidationError("no bug is called \(name); there are \(SeededBug.allCases.map(\.rawValue))")
      }
      return [bug]
    }
  }

  extension ExploreCommand.Row {
    fileprivate var json: JSON {
      .object([
        .init("scenario", .string(scenario.name)), .init("random", .bool(isRandom)),
        .init("schedules", .integer(Int64(progress.schedules))),
        .init("states", .integer(Int64(progress.states))), .init("longestSteps", .integer(Int64(progress.longest))),
        .init("milliseconds", .unsigned(milliseconds)),
        .init("finding", finding.map { .array($0.problems.map { .string($0) }) } ?? .null),
      ])
    }
  }

#endif
