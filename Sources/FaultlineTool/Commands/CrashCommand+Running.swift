import ArgumentParser
import Faultline
import FaultlineCheck
import FaultlineFS
import FaultlineWhatIf

extension CrashCommand {
  /// What became of one scenario.
  struct Row {
    let report: CrashReport
    let milliseconds: UInt64

    var line: String {
      let name = report.scenario + String(repeating: " ", count: max(0, 24 - report.scenario.count))
      return "\(name) \(report.points) points, \(report.images) images (\(report.exhaustiveGroups) groups all, "
        + "\(report.sampledGroups) drawn), \(report.checks) checks, \(report.recoveryImages) more of \(report.recoveries) "
        + "recoveries, \(Double(milliseconds) / 1000) s"
    }
  }

  func explore() throws {
    let chosen = try chosen()
    var rows: [Row] = []
    for scenario in chosen {
      let row = try explore(scenario)
      rows.append(row)
      if !json { print(row.line) }
      if row.report.finding != nil { break }
    }
    try tell(rows)
  }

  private func chosen() throws -> [FileScenario] {
    let modes = mode.map { [$0] } ?? MetadataMode.allCases
    let suffix = try bug.map { "/" + (try checkedBug($0)) } ?? ""
    let names = all ? FileScenario.programs.map(\.name) : scenarios
    return modes.flatMap { mode in
      names.compactMap { FileScenario.named("\($0)/\(mode.name)\(suffix)") }
    }
  }

  private func checkedBug(_ name: String) throws -> String {
    #if DEBUG || ModelCheck
      guard CrashBug(named: name) != nil else {
        throw ValidationError("no bug is called \(name); there are \(CrashBug.all.map(\.name))")
      }
      return name
    #else
      throw noBugs("--bug \(name)")
    #endif
  }

  private func noBugs(_ arguments: String) -> UnavailableError {
    UnavailableError(
      "there is no such fault on purpose in this build; use: swift run -c release --traits ModelCheck --scratch-path "
        + ".build-model faultline crash \(arguments)")
  }

  private func explore(_ scenario: FileScenario) throws -> Row {
    var line = ProgressLine()
    let start = ContinuousClock.now
    let explorer = CrashExplorer(CrashLimits(combinations: bound, samples: samples, seed: seed))
    defer { line.wipe() }
    let report: CrashReport
    do {
      report = try explorer.explore(scenario) {
        line.show("\(scenario.name): \($0.points) points, \($0.images) images", fraction: nil)
        return true
      }
    } catch { throw BrokenScenario(description: "\(scenario.name) failed before any crash: \(error)") }
    return Row(report: report, milliseconds: (ContinuousClock.now - start).milliseconds)
  }

  private func tell(_ rows: [Row]) throws {
    let finding = rows.last?.report.finding
    let images = rows.reduce(0) { $0 + $1.report.images }
    let checks = rows.reduce(0) { $0 + $1.report.checks }
    let recovered = rows.reduce(0) { $0 + $1.report.recoveryImages }
    if json {
      print(
        JSON.object([
          .init("bound", .integer(Int64(bound))), .init("samples", .integer(Int64(samples))),
          .init("seed", .unsigned(seed)),
          .init("images", .integer(Int64(images))), .init("checks", .integer(Int64(checks))),
          .init("recoveryImages", .integer(Int64(recovered))), .init("findings", .integer(finding == nil ? 0 : 1)),
          .init("scenarios", .array(rows.map(\.json))),
        ]).text)
    } else {
      print(
        "\(rows.count) scenarios, \(images) images, \(checks) checks, \(recovered) images of recoveries, "
          + "\(finding == nil ? 0 : 1) findings")
    }
    guard let finding else { return }
    if !json { print(finding) }
    try TextFile.write(finding.text, to: output)
    try TextFile.write(bytes: finding.image, to: image)
    Terminal.say("saved: faultline crash --replay \(output); the device: \(image)")
    throw ExitCode(ExitStatus.failed.rawValue)
  }

  func repeatCrash(in path: String) throws {
    let saved: SavedCrash
    do { saved = try SavedCrash(parsing: try TextFile.read(path)) } catch let error as SavedCrashError {
      throw ValidationError("\(path): \(error)")
    }
    guard let scenario = FileScenario.named(saved.scenario) else {
      let parts = saved.scenario.split(separator: "/").prefix(2).joined(separator: "/")
      if parts != saved.scenario, FileScenario.named(parts) != nil { throw noBugs("--replay \(path)") }
      throw ValidationError("\(path): no scenario is called \(saved.scenario)")
    }
    let finding: CrashFinding?
    do { finding = try CrashExplorer().replay(saved, of: scenario) } catch let error as SavedCrashError {
      throw ValidationError("\(path): \(error)")
    }
    guard let finding else {
      print("\(scenario.name): this crash breaks nothing")
      return
    }
    print(finding)
    throw ExitCode(ExitStatus.failed.rawValue)
  }
}

/// The engine or the file system refused what a scenario does.
private struct BrokenScenario: ExitStatusError, CustomStringConvertible {
  let description: String
  var exitStatus: ExitStatus { .failed }
}

extension CrashCommand.Row {
  fileprivate var json: JSON {
    .object([
      .init("scenario", .string(report.scenario)), .init("points", .integer(Int64(report.points))),
      .init("exhaustiveGroups", .integer(Int64(report.exhaustiveGroups))),
      .init("sampledGroups", .integer(Int64(report.sampledGroups))),
      .init("images", .integer(Int64(report.images))), .init("checks", .integer(Int64(report.checks))),
      .init("recoveries", .integer(Int64(report.recoveries))),
      .init("recoveryImages", .integer(Int64(report.recoveryImages))), .init("milliseconds", .unsigned(milliseconds)),
      .init("finding", report.finding.map { .array($0.problems.map { .string($0) }) } ?? .null),
    ])
  }
}
