import Faultline

/// The sentences under a table that keep its numbers honest.
struct ReportNotes {
  let survey: TraceSurvey
  let chosen: ChosenFiles
  let summary: TraceSummary
  let cache: CacheStart
  let warnings: [String]
  let refused: Int

  var sentences: [String] {
    var notes: [String] = []
    if summary.isCoarse {
      notes.append(
        "coarse recording: only the faults that the kernel's own fault-around left were seen, so touches are missing and "
          + "every count is a lower bound")
    }
    if summary.untimed > 0 {
      notes.append(
        "\(summary.untimed) touches have no time of their own (a system call made them); they are replayed where a scan "
          + "found them")
    }
    if summary.lost > 0 {
      notes.append("the kernel dropped \(summary.lost) fault records; their pages are among the untimed touches")
    }
    notes += cacheNotes
    if summary.hasGrown {
      notes.append(
        "a file grew while it was recorded; what write(2) put into the cache is not in a trace and counts as read")
    }
    if refused > 0 {
      notes.append(
        "\(refused) recorded calls are not in the replay: the trace is damaged or the engine does not know them")
    }
    return notes + warnings + endNotes
  }

  private var cacheNotes: [String] {
    let unknown = chosen.files.count { cache == .cold ? !$0.isOwnedOrWritable : cache == .asIs && $0.resident == nil }
    guard unknown > 0 else { return [] }
    let files = unknown == 1 ? "1 file that is" : "\(unknown) files that are"
    return ["what was cached of \(files) not yours cannot be known and counts as resident"]
  }

  private var endNotes: [String] {
    switch survey.end {
    case .exited(let code) where code != 0: ["the program ended with exit code \(code)"]
    case .killed(let signal): ["the program was killed by signal \(signal)"]
    default: []
    }
  }
}
