import Faultline

/// # Invariants
///
/// Walks everything an engine has (areas, tables, entries, caches, free lists), counts for itself, and compares with what
/// the engine's own counters and metadata say. It never uses a counter that it checks.
///
/// Laws: ``Law``. Only at rest: call it while no other thread uses the machine. Lock order: takes none.
public struct Invariants {
  let machine: Machine
  let spaces: [AddressSpace]
  let files: [FileNode]
  let held: [UInt64: UInt64]

  /// - Parameter held: references that the caller itself holds, by frame number of the folio's head.
  public init(machine: Machine, held: [UInt64: UInt64] = [:]) {
    machine.settle()
    self.machine = machine
    spaces = machine.auditSpaces
    files = machine.auditFiles
    self.held = held
  }

  /// Every breach, in an order that depends only on the state.
  public func check() -> [Violation] {
    var report = Report()
    let picture = Picture(self)
    checkFrames(picture, &report)
    checkFolios(picture, &report)
    for (number, file) in files.enumerated() {
      checkCache(file, "file \(number)", picture, &report)
      if file.isDirect { checkDirect(file, "file \(number)", picture, &report) }
    }
    checkDeviceFolios(picture, &report)
    for (number, space) in spaces.enumerated() { checkSpace(space, "space \(number)", picture, &report) }
    checkLists(picture, &report)
    checkTotals(&report)
    return report.violations
  }

  /// Collects breaches; at most a hundred, for one fault may break a law on every page.
  struct Report {
    private(set) var violations: [Violation] = []

    mutating func expect(_ holds: Bool, _ law: Law, _ subject: @autoclosure () -> String) {
      if !holds, violations.count < 100 { violations.append(Violation(law: law, subject: subject())) }
    }
  }

  private func checkTotals(_ report: inout Report) {
    let tables = spaces.reduce(0) { $0 + $1.auditTables().count + $1.auditDeposits() }
    report.expect(
      UInt64(tables) == machine.auditLiveTables, .tablesAddUp, "\(machine.auditLiveTables) in use, \(tables) found")
    let nodes = files.reduce(0) { $0 + $1.auditNodeCount() }
    report.expect(nodes == machine.auditLiveNodes, .nodesAddUp, "\(machine.auditLiveNodes) in use, \(nodes) found")
    report.expect(!machine.memory.auditIsLocked(), .nothingIsLocked, "the frame allocator")
    if spaces.isEmpty, files.isEmpty, held.isEmpty {
      let zeroes = 1 + (machine.auditHugeZeroFrame == nil ? 0 : PageSize.entriesPerTable)
      report.expect(
        machine.memory.usedFrames == zeroes + machine.poisonedFrames, .everythingIsGivenBack,
        "\(machine.memory.usedFrames) frames in use; only the zero pages and what has failed should be")
    }
  }
}

/// What the checker counted itself, before it compares.
struct Picture {
  /// Frames by number.
  let frames: [FrameAudit]
  /// How many present entries of all spaces map each frame alone.
  private(set) var entries: [UInt64: UInt64] = [:]
  /// How many huge entries of all spaces map the folio at each frame.
  private(set) var hugeEntries: [UInt64: UInt64] = [:]
  /// The cache and page at which a scan found each folio, by its head's frame number.
  private(set) var cached: [UInt64: (cache: UInt64, index: UInt64)] = [:]
  /// Frames of devices that an entry of either kind shows, or that head the folio of one, by number.
  private(set) var deviceFrames: [UInt64: FrameAudit] = [:]
  /// The first pages of the entries of files with DAX, by the frame that they show.
  private(set) var direct: [UInt64: UInt64] = [:]
  /// Pages of files with DAX whose entries are marked dirty, by ``FileNode/auditIdentity``.
  private(set) var dirty: [UInt64: [Range<UInt64>]] = [:]

  init(_ invariants: Invariants) {
    frames = invariants.machine.memory.auditFrames()
    for space in invariants.spaces {
      for (_, entry) in space.auditEntries() where entry.isPresent && !entry.isSpecial {
        if entry.isHuge {
          hugeEntries[entry.frame.rawValue, default: 0] += 1
        } else {
          entries[entry.frame.rawValue, default: 0] += 1
        }
      }
    }
    for file in invariants.files {
      for slot in file.auditSlots() {
        if let frame = slot.frame { cached[frame] = (file.auditIdentity, slot.index) }
      }
      for slot in file.auditDirectSlots() {
        if let frame = slot.frame { direct[frame] = slot.pages.lowerBound }
        if slot.isMarkedDirty { dirty[file.auditIdentity, default: []].append(slot.pages) }
      }
    }
    let memory = invariants.machine.memory
    for number in Array(entries.keys) + Array(hugeEntries.keys) + Array(direct.keys) {
      guard let frame = memory.auditDeviceFrame(number) else { continue }
      deviceFrames[number] = frame
      if let head = frame.head { deviceFrames[head] = memory.auditDeviceFrame(head) }
    }
  }

  func frame(_ number: UInt64) -> FrameAudit? {
    number < frames.count ? frames[Int(number)] : deviceFrames[number]
  }

  /// Whether the entry of a page of a file with DAX is marked dirty.
  func isMarkedDirty(_ page: UInt64, of cache: UInt64) -> Bool {
    dirty[cache]?.contains { $0.contains(page) } ?? false
  }

  /// The head of the folio that a frame is part of.
  func head(of number: UInt64) -> FrameAudit? { frame(number).flatMap { $0.head.map(frame) ?? $0 } }
}
