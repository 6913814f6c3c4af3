/// Makes a script that shows something smaller, as long as it still shows it.
enum ScriptShrinker {
  /// Leaves out line after line, large pieces first, then the `fork` and `endfork` around a block.
  ///
  /// - Parameters:
  ///   - lines: a script that shows `problem`.
  ///   - find: the same problem in a shorter script; `nil` when it is not to be seen there.
  static func smallest<Problem, Failure: Error>(
    _ lines: [String], _ problem: Problem, find: ([String]) throws(Failure) -> Problem?
  ) throws(Failure) -> (lines: [String], problem: Problem) {
    var best = (lines: lines, problem: problem)
    func attempt(_ fewer: [String]) throws(Failure) -> Bool {
      guard let found = try find(fewer) else { return false }
      best = (fewer, found)
      return true
    }
    var piece = lines.count / 2
    while piece > 0 {
      var start = 0
      while start < best.lines.count {
        var fewer = best.lines
        fewer.removeSubrange(start..<min(fewer.count, start + piece))
        if try !attempt(fewer) { start += piece }
      }
      piece /= 2
    }
    for start in best.lines.indices.reversed() where start < best.lines.count && best.lines[start] == "fork" {
      guard let end = best.lines[start...].firstIndex(of: "endfork") else { continue }
      var fewer = best.lines
      fewer.remove(at: end)
      fewer.remove(at: start)
      _ = try attempt(fewer)
    }
    return best
  }
}
