import Faultline
import FaultlineFS

/// Operations that only look.
extension ScriptRunner {
  /// Where the pages of a file are mapped to be looked at: far from the mappings of any script.
  private static let lookout = VirtualAddress(rawValue: arena.rawValue + 1 << 43)

  func observe(_ observation: Observation) throws(ScriptRunError) -> Outcome {
    switch observation {
    case .smaps(let name): return detail("smaps", smaps(of: mappings[try mapping(name)]))
    case .folios(let name):
      let mapping = mappings[try mapping(name)]
      return detail("folios", folios(from: mapping.base.page, pages: mapping.pages))
    case .fileFolios(let name): return detail("folios", try fileFolios(name))
    case .fileSum(let name): return try sum(of: name)
    case .extents(let name): return detail("extents", try extents(of: name))
    }
  }

  private func detail(_ key: String, _ value: JSONValue) -> Outcome {
    var outcome = Outcome()
    outcome.details = [.init(key, value)]
    return outcome
  }

  // MARK: Folios

  /// `[first page, pages, folio size in pages, position of the first page in its folio]`; neighbouring single pages are one
  /// run, whatever their frames.
  private func folios(from first: UInt64, pages: Int64) -> JSONValue {
    struct Piece: Equatable {
      var size: UInt64
      /// The page of the mapping at which the folio would begin; all single pages have one.
      var origin: Int64
    }
    var pieces: [Int64: Piece] = [:]
    space.forEachMappedPage(in: first..<first &+ UInt64(pages)) { page, mapped, _ in
      let index = Int64(page - first)
      // The recorder's view of pages does not tell folios of a device.
      let size = mapped.isDirect ? 1 : mapped.folioPages
      pieces[index] = Piece(size: size, origin: size == 1 ? 0 : index - Int64(mapped.positionInFolio))
    }
    let runs = RunLengths.of(pages) { pieces[$0] }
    return .array(
      runs.map { run in
        let position = run.value.size == 1 ? 0 : run.start - run.value.origin
        return .array([
          .integer(run.start), .integer(run.count), .integer(Int64(run.value.size)), .integer(position),
        ])
      })
  }

  /// Maps the file and touches what is resident, as the recorder does: this can start readahead.
  private func fileFolios(_ name: String) throws(ScriptRunError) -> JSONValue {
    let file = files[try file(name)]
    let pages = min(Int64(clamping: PageSize.pages(covering: file.node.size)), Self.pageLimit)
    guard pages > 0 else { return .array([]) }
    let length = UInt64(pages) * PageSize.bytes
    let resident = (0..<UInt64(pages)).map(file.node.isResident)
    var observer = FaultTask()
    do {
      let base = try space.mmap(
        address: Self.lookout, length: length, protection: .read, flags: .shared, file: file.observer, offset: 0,
        by: &observer)
      for (page, isResident) in resident.enumerated() where isResident {
        _ = space.access(VirtualAddress(page: base.page + UInt64(page)), .read, by: &observer)
      }
      let folios = folios(from: base.page, pages: pages)
      try space.munmap(base, length: length)
      return folios
    } catch {
      throw .host("the file cannot be mapped to look at it: \(error.message)")
    }
  }

  // MARK: Extents

  /// `[first page, pages, first page on the device modulo 512, w or u]` of each extent: written or unwritten.
  private func extents(of name: String) throws(ScriptRunError) -> JSONValue {
    guard let placed = files[try file(name)].placed else { throw .notYetSupported(operation: "fiemap", line: line) }
    let extents: [ExtentReport]
    do throws(KernelError) {
      extents = try placed.file.extentReport()
    } catch {
      throw .host(error.message)
    }
    return .array(
      extents.map { extent in
        .array([
          .integer(Int64(clamping: extent.page)), .integer(Int64(clamping: extent.count)),
          .integer(Int64(clamping: extent.devicePage % PageSize.entriesPerTable)),
          .string(extent.isWritten ? "w" : "u"),
        ])
      })
  }

  // MARK: smaps

  private func smaps(of mapping: Mapping) -> JSONValue {
    let first = mapping.base.page
    let areas = space.mappedAreas(in: first..<first &+ UInt64(mapping.pages))
    return .array(areas.map { smaps(of: $0, from: first) })
  }

  private func smaps(of area: MappedArea, from first: UInt64) -> JSONValue {
    var resident = Residency()
    space.forEachMappedPage(in: area.pages) { _, mapped, _ in
      if isCounted(mapped) { resident.count(mapped) }
    }
    let start = Int64(bitPattern: area.pages.lowerBound) - Int64(bitPattern: first)
    var members: [JSONValue.Member] = [
      .init("start", .integer(start)), .init("n", .integer(Int64(area.pages.count))),
      .init("perms", .string(area.flags.permissions)), .init("pgoff", .integer(Int64(clamping: area.filePage))),
    ]
    members += resident.members(isLocked: area.flags.contains(.locked), livesInMemory: traits.isMemoryOnly)
    members.append(.init("THPeligible", .integer(area.isHugeEligible ? 1 : 0)))
    members.append(.init("VmFlags", .string(area.mnemonics(rules))))
    return .object(members)
  }
}

extension ScriptRunner {
  /// Whether `smaps` counts a page: not always one of a device, and of 2 MiB of it perhaps one page.
  private func isCounted(_ page: MappedPage) -> Bool {
    guard page.isDirect, !rules.direct.countsPages else { return true }
    return page.isHuge && rules.direct.countsHugeAsPage && page.positionInFolio == 0
  }
}

/// Sums over the present pages of an area, in KiB when they are told.
private struct Residency {
  private var pages: Int64 = 0
  private var sharedClean: Int64 = 0
  private var sharedDirty: Int64 = 0
  private var privateClean: Int64 = 0
  private var privateDirty: Int64 = 0
  private var referenced: Int64 = 0
  private var anonymous: Int64 = 0
  private var lazilyFreed: Int64 = 0
  private var privateHuge: Int64 = 0
  private var fileHuge: Int64 = 0
  /// In 1/4096 of a page: a page that several entries map counts for each only in part.
  private var proportional: Int64 = 0

  mutating func count(_ page: MappedPage) {
    // The zero page belongs to nobody and is not counted.
    guard page.kind != .zero else { return }
    pages += 1
    if page.kind == .anonymous { anonymous += 1 }
    if page.isHuge, page.kind == .anonymous { privateHuge += 1 }
    if page.isHuge, page.kind == .file, !page.isDirect { fileHuge += 1 }
    if page.isReferenced { referenced += 1 }
    if page.isLazilyFreed { lazilyFreed += 1 }
    proportional += 4096 / Int64(clamping: max(1, page.mapCount))
    switch (page.mapCount > 1, page.isDirty) {
    case (true, false): sharedClean += 1
    case (true, true): sharedDirty += 1
    case (false, false): privateClean += 1
    case (false, true): privateDirty += 1
    }
  }

  func members(isLocked: Bool, livesInMemory: Bool) -> [JSONValue.Member] {
    let counts: [(String, Int64)] = [
      ("Rss", pages), ("Shared_Clean", sharedClean), ("Shared_Dirty", sharedDirty), ("Private_Clean", privateClean),
      ("Private_Dirty", privateDirty), ("Referenced", referenced), ("Anonymous", anonymous), ("LazyFree", lazilyFreed),
      ("AnonHugePages", privateHuge), ("ShmemPmdMapped", livesInMemory ? fileHuge : 0),
      ("FilePmdMapped", livesInMemory ? 0 : fileHuge),
    ]
    return counts.map { .init($0, .integer($1 * 4)) } + [
      .init("Locked", .integer(isLocked ? proportional * 4 / 4096 : 0))
    ]
  }
}

extension VMAFlags {
  /// As `/proc/PID/maps` has them.
  fileprivate var permissions: String {
    (contains(.read) ? "r" : "-") + (contains(.write) ? "w" : "-") + (contains(.execute) ? "x" : "-")
      + (contains(.mayShare) ? "s" : "p")
  }
}

extension MappedArea {
  /// The two-letter words of `VmFlags`, in the kernel's order.
  func mnemonics(_ rules: KernelRules) -> String {
    let words: [(VMAFlags, String)] = [
      (.read, "rd"), (.write, "wr"), (.execute, "ex"), (.shared, "sh"), (.mayRead, "mr"), (.mayWrite, "mw"),
      (.mayExecute, "me"), (.mayShare, "ms"), (.growsDown, "gd"), (.mayGuard, "gu"), (.locked, "lo"),
      (.sequentialRead, "sr"),
      (.randomRead, "rr"),
      (.dontCopy, "dc"),
      (.lockedOnFault, rules.namesLockOnFault ? "lf" : "??"),
      (.accounted, "ac"), (.noReserve, "nr"),
      (.sync, "sf"), (.wipeOnFork, "wf"), (.dontDump, "dd"),
    ]
    let late: [(VMAFlags, String)] = [(.hugePage, "hg"), (.noHugePage, "nh"), (.droppable, "dp")]
    let shown = words.filter { flags.contains($0.0) } + late.filter { flags.contains($0.0) }
    var mnemonics = shown.map(\.1)
    if rules.tracksSoftDirty { mnemonics.insert("sd", at: words.count { flags.contains($0.0) }) }
    return mnemonics.joined(separator: " ")
  }
}
