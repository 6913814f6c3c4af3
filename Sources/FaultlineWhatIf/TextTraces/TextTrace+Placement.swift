extension TextTrace {
  /// The same events at the addresses of another recording of the same program.
  ///
  /// Fault-around windows are aligned by virtual address, and address space randomization gives each run its own: only at
  /// the same addresses does one recording say what the other must show. The n-th area line of a process goes with the
  /// n-th of the same process there, if both say the same but for the address.
  public func placed(as other: TextTrace) -> TextTrace {
    var theirs = AreaLines(other.lines)
    var moves: [Int: [AreaMove]] = [:]
    var result = self
    result.lines = lines.map { line in
      switch line {
      case .exec(let process, _):
        theirs.beginSpace(of: process)
        moves[process] = []
      case .fork(let parent, let child):
        theirs.beginSpace(of: child)
        moves[child] = moves[parent] ?? []
      case .area(let range, let protection, let isShared, let file, let filePage):
        guard let place = theirs.nextPlace(like: line) else { return line }
        moves[range.process, default: []].append(AreaMove(from: range.span, distance: place &- range.page))
        return .area(range.moved(to: place), protection, isShared: isShared, file: file, filePage: filePage)
      case .unmap(let range):
        return .unmap(range.moved(moves))
      case .remap(let range, let newPage, let newPages):
        let target = TraceRange(process: range.process, page: newPage, pages: newPages).moved(moves)
        return .remap(range.moved(moves), newPage: target.page, newPages: newPages)
      case .advise(let range, let advice):
        return .advise(range.moved(moves), advice)
      case .fault(var fault):
        fault.page &+= moves[fault.process].distance(at: fault.page)
        return .fault(fault)
      case .exit:
        break
      }
      return line
    }
    return result
  }
}

/// How far the pages of an area moved; wraps, so that it can be a move down.
private struct AreaMove {
  let from: Range<UInt64>
  let distance: UInt64
}

extension [AreaMove]? {
  /// Of the area that covered the page last.
  fileprivate func distance(at page: UInt64) -> UInt64 {
    self?.last { $0.from.contains(page) }?.distance ?? 0
  }
}

extension TraceRange {
  fileprivate func moved(to page: UInt64) -> TraceRange { TraceRange(process: process, page: page, pages: pages) }

  fileprivate func moved(_ moves: [Int: [AreaMove]]) -> TraceRange {
    moved(to: page &+ moves[process].distance(at: page))
  }
}

/// The area lines of a recording, each address space's for itself.
private struct AreaLines {
  /// A process, and how many address spaces it had before.
  private struct Space: Hashable {
    var process: Int
    var number: Int
  }

  private var lines: [Space: [TextTraceLine]] = [:]
  private var spaces: [Int: Int] = [:]
  private var taken: [Space: Int] = [:]

  init(_ all: [TextTraceLine]) {
    for line in all {
      switch line {
      case .exec(let process, _), .fork(_, let process): beginSpace(of: process)
      case .area(let range, _, _, _, _): lines[space(of: range.process), default: []].append(line)
      default: break
      }
    }
    spaces = [:]
  }

  mutating func beginSpace(of process: Int) { spaces[process, default: 0] += 1 }

  /// Where the area line that goes with this one has its area; nil when the recordings differ there.
  mutating func nextPlace(like line: TextTraceLine) -> UInt64? {
    guard case .area(let range, let protection, let isShared, let file, let filePage) = line else { return nil }
    let space = space(of: range.process)
    let index = taken[space, default: 0]
    taken[space] = index + 1
    guard let own = lines[space], index < own.count,
      case .area(let there, protection, isShared, file, filePage) = own[index],
      there.pages == range.pages
    else { return nil }
    return there.page
  }

  private func space(of process: Int) -> Space { Space(process: process, number: spaces[process] ?? 0) }
}
