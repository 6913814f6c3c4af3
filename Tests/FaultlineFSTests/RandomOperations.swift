import Faultline
import Testing

@testable import FaultlineFS

/// Does random things to a file system and to a model of it, and holds the one against the other.
struct RandomOperations {
  private var random: SeededGenerator
  private let mode: MetadataMode
  private let device: RAMDevice
  private var fs: ExtentFileSystem
  private var model = FileSystemModel()
  /// The model as it was after the last change of each transaction that may still be lost.
  private var history: [(transaction: UInt64, model: FileSystemModel)] = []
  /// Files that are open, some of them without a name any more.
  private var held: [(file: ExtentFile, path: String?, bytes: [UInt8])] = []
  private var identity = 0
  /// The last transaction that changed a file, by its identity: also of files that are gone again.
  private var lastChange: [Int: UInt64] = [:]
  private var counts: [String: Int] = [:]
  /// How often each thing happened.
  var report: String { counts.keys.sorted().map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", ") }

  init(seed: UInt64, mode: MetadataMode, pages: UInt64) throws {
    random = SeededGenerator(seed: seed)
    self.mode = mode
    device = try RAMDevice(pageCount: pages)
    try ExtentFileSystem.make(on: device, mode: mode, inodeCount: 48)
    fs = try ExtentFileSystem.mount(device)
    history = [(fs.log.committed, model)]
  }

  mutating func run(_ count: Int, checkingEvery interval: Int) throws {
    for step in 1...count {
      try one()
      note()
      if step % interval == 0 { try check() }
    }
    try remount()
    try check()
  }

  // MARK: one operation

  private mutating func one() throws {
    switch random.next() % 100 {
    case 0..<12: try create()
    case 12..<16: try makeDirectory()
    case 16..<24: try unlink()
    case 24..<27: try removeDirectory()
    case 27..<35: try rename()
    case 35..<55: try write()
    case 55..<62: try resize()
    case 62..<72: try change()
    case 72..<80: try store()
    case 80..<88: try read()
    case 88..<95: try sync()
    case 95..<98: try hold()
    case 98: if random.next() % 3 == 0 { try remount() }
    default: if random.next() % 3 == 0 { try cutPower() }
    }
  }

  private mutating func pick(_ paths: [String]) -> String? { paths.randomElement(using: &random) }

  private mutating func newPath() -> String {
    let directory = pick(model.directories) ?? ""
    let long = random.next() % 16 == 0 ? String(repeating: "x", count: 200) : ""
    return "\(directory)/n\(random.next() % 12)\(long)"
  }

  /// Does something that has to fail if and only if `works` says so, or for want of room.
  private mutating func attempt(
    _ name: String, works: Bool, _ body: () throws -> Void, then: (inout FileSystemModel) -> Void
  ) throws {
    do {
      try body()
      #expect(works, "\(name) should have failed")
      then(&model)
      counts[name, default: 0] += 1
    } catch let error as KernelError {
      #expect(!works || error.errno == .ENOSPC, "\(name): \(error)")
      counts["\(name) \(error.errno)", default: 0] += 1
    }
  }

  private mutating func create() throws {
    let (path, fs) = (newPath(), fs)
    identity += 1
    let identity = identity
    try attempt("create", works: model.nodes[path] == nil) {
      try fs.create(path).close()
    } then: {
      $0.nodes[path] = .init(isDirectory: false, changed: fs.log.running, identity: identity)
    }
  }

  private mutating func makeDirectory() throws {
    let (path, fs) = (newPath(), fs)
    guard path.split(separator: "/").count < 5 else { return }
    try attempt("mkdir", works: model.nodes[path] == nil) {
      try fs.makeDirectory(path)
    } then: {
      $0.nodes[path] = .init(isDirectory: true)
    }
  }

  private mutating func unlink() throws {
    guard let path = pick(model.nodes.keys.sorted()), path != "" else { return }
    let fs = fs
    let isFile = model.nodes[path]?.isDirectory == false
    try attempt("unlink", works: isFile) {
      try fs.unlink(path)
    } then: {
      $0.nodes[path] = nil
    }
    guard isFile else { return }
    forgetPath(path)
  }

  /// What is held under a path has no name any more.
  private mutating func forgetPath(_ path: String) {
    for index in held.indices where held[index].path == path { held[index].path = nil }
  }

  private mutating func removeDirectory() throws {
    guard let path = pick(model.nodes.keys.sorted()), path != "" else { return }
    let fs = fs
    let works = model.nodes[path]?.isDirectory == true && model.children(of: path).isEmpty
    try attempt("rmdir", works: works) {
      try fs.removeDirectory(path)
    } then: {
      $0.nodes[path] = nil
    }
  }

  private mutating func rename() throws {
    guard let old = pick(model.nodes.keys.sorted()), old != "" else { return }
    let (new, fs) = (newPath(), fs)
    let renamed = model.renaming(old, to: new)
    guard renamed?.nodes.keys.allSatisfy({ $0.split(separator: "/").count < 6 }) ?? true else { return }
    let before = model
    try attempt("rename", works: renamed != nil) {
      try fs.rename(old, to: new)
    } then: {
      $0 = renamed ?? $0
    }
    guard old != new, model.nodes[old] == nil, before.nodes[old] != nil else { return }
    forgetPath(new)
    for index in held.indices {
      guard let path = held[index].path, path == old || path.hasPrefix(old + "/") else { continue }
      held[index].path = new + path.dropFirst(old.count)
    }
  }

  private mutating func offset() -> Int {
    switch random.next() % 3 {
    case 0: Int(random.next() % 16) << 12
    case 1: Int(random.next() % 65536)
    default: Int(random.next() % 40) << 12 + Int(random.next() % 2)
    }
  }

  private mutating func withFile(_ body: (inout Self, String, ExtentFile) throws -> Void) throws {
    guard let path = pick(model.files) else { return }
    let file = try fs.open(path)
    try body(&self, path, file)
    file.close()
  }

  private mutating func change(_ path: String, _ body: (inout FileSystemModel.Node) -> Void) {
    model.nodes[path]?.changed = fs.log.running
    lastChange[model.nodes[path]?.identity ?? 0] = fs.log.running
    if var node = model.nodes[path] {
      model.nodes[path] = nil
      body(&node)
      model.nodes[path] = node
    }
  }

  private mutating func write() throws {
    try withFile { this, path, file in
      let offset = this.offset()
      let byte = UInt8(truncatingIfNeeded: this.random.next())
      let data = (0..<Int(this.random.next() % 12000 + 1)).map { UInt8(truncatingIfNeeded: $0 / 61) ^ byte }
      do throws(KernelError) {
        try file.write(data, at: UInt64(offset))
        this.change(path) { $0.write(data, at: offset) }
        this.counts["write", default: 0] += 1
      } catch {
        #expect(error.errno == .ENOSPC)
        this.counts["write ENOSPC", default: 0] += 1
        let bytes = try file.read(at: 0, count: .max)
        this.change(path) { $0.bytes = bytes }
      }
    }
  }

  private mutating func resize() throws {
    try withFile { this, path, file in
      let size = this.offset()
      try file.resize(to: UInt64(size))
      this.change(path) { $0.resize(size) }
    }
  }

  private mutating func change() throws {
    try withFile { this, path, file in
      let start = this.offset()
      let range = start..<start + Int(this.random.next() % 40000) + 1
      let bytes = UInt64(range.lowerBound)..<UInt64(range.upperBound)
      let keepSize = this.random.next() % 2 == 0
      let change = [RangeChange.allocate, .punchHole, .zeroRange].randomElement(using: &this.random)!
      do throws(KernelError) {
        try file.change(change, bytes, keepSize: keepSize)
        this.counts["\(change)", default: 0] += 1
        this.change(path) {
          switch change {
          case .allocate: if !keepSize { $0.grow(to: range.upperBound) }
          case .punchHole: $0.zero(range, growing: false)
          case .zeroRange: $0.zero(range, growing: !keepSize)
          }
        }
      } catch {
        #expect(error.errno == .ENOSPC)
        this.counts["\(change) ENOSPC", default: 0] += 1
      }
    }
  }

  /// A store through a mapping.
  private mutating func store() throws {
    try withFile { this, path, file in
      guard file.size > 0 else { return }
      let at = this.random.next() % file.size
      let page = at & ~4095
      let map: IOMap
      do throws(KernelError) {
        try file.beginHandle()
        defer { file.endHandle() }
        map = try file.map(page..<page + 4096, for: [.write, .fault])
      } catch {
        #expect(error.errno == .ENOSPC)
        this.counts["store ENOSPC", default: 0] += 1
        return
      }
      let value = UInt8(truncatingIfNeeded: this.random.next())
      withUnsafeBytes(of: value) { file.device.store($0, at: map.address + (at - page)) }
      this.change(path) { $0.bytes[Int(at)] = value }
      if this.random.next() % 2 == 0 { try this.commit(file, path, dataOnly: true) }
      this.counts["store", default: 0] += 1
    }
  }

  private mutating func read() throws {
    try withFile { this, path, file in
      let bytes = this.model.nodes[path]?.bytes ?? []
      #expect(file.size == UInt64(bytes.count))
      let found = try file.read(at: 0, count: .max)
      #expect(found == bytes)
    }
    for (file, path, bytes) in held where path == nil {
      let found = try file.read(at: 0, count: .max)
      #expect(found == bytes)
    }
  }

  private mutating func sync() throws {
    if random.next() % 3 == 0 {
      try fs.sync()
      if mode == .inPlace { for path in model.files { model.nodes[path]?.changed = 0 } }
      return
    }
    let onlyData = random.next() % 2 == 0
    try withFile { this, path, file in
      try this.commit(file, path, dataOnly: onlyData)
      this.counts["fsync", default: 0] += 1
    }
  }

  private mutating func commit(_ file: ExtentFile, _ path: String, dataOnly: Bool) throws {
    // What this operation has changed before is of the transaction that ends here.
    note()
    try file.commit(dataOnly: dataOnly)
    if file.size >= 4096 { #expect(try file.map(0..<4096, for: .report).flags == []) }
    if mode == .inPlace { model.nodes[path]?.changed = 0 }
  }

  /// Keeps a file open over its unlinking, or lets go of one.
  private mutating func hold() throws {
    if held.count > 3 || random.next() % 3 == 0 {
      if let last = held.popLast() { last.file.close() }
    } else if let path = pick(model.files) {
      held.append((try fs.open(path), path, []))
    }
    for index in held.indices where held[index].path == nil {
      held[index].bytes = try held[index].file.read(at: 0, count: .max)
    }
  }

  // MARK: durability

  private mutating func note() {
    for index in held.indices {
      if let path = held[index].path { held[index].bytes = model.nodes[path]?.bytes ?? [] }
    }
    guard mode != .inPlace else { return }
    let running = fs.log.running
    if history.last?.transaction == running { history.removeLast() }
    history.append((running, model))
    let committed = fs.log.committed
    while history.count > 1, history[1].transaction <= committed { history.removeFirst() }
  }

  private mutating func remount() throws {
    held = []
    try fs.unmount()
    #expect(FileSystemCheck.run(device) == [])
    fs = try ExtentFileSystem.mount(device)
    history = [(fs.log.committed, model)]
    counts["remount", default: 0] += 1
    try compare()
  }

  /// Everything in memory is gone; the device is as it is.
  private mutating func cutPower() throws {
    let committed = fs.log.committed
    fs.abandon()
    held = []
    fs = try ExtentFileSystem.mount(device)
    counts["power cut", default: 0] += 1
    if mode == .inPlace {
      for path in model.files where model.nodes[path]?.changed != 0 { try accept(path) }
      return try compare()
    }
    if let last = history.last(where: { $0.transaction <= committed }) { model = last.model }
    // What changed a file in place since then shows in it: stores and zeroes at once, everything else with its transaction.
    for path in model.files where lastChange[model.nodes[path]!.identity] ?? 0 > committed { try accept(path) }
    lastChange = [:]
    history = [(fs.log.committed, model)]
    try compare()
  }

  private mutating func accept(_ path: String) throws {
    let file = try fs.open(path)
    model.nodes[path]?.bytes = try file.read(at: 0, count: .max)
    model.nodes[path]?.changed = 0
    file.close()
  }

  // MARK: looking

  private mutating func check() throws {
    #expect(FileSystemCheck.run(device) == [])
    try compare()
  }

  /// Holds every name and every byte against the model.
  private mutating func compare() throws {
    for path in model.directories {
      let names = model.children(of: path).map { String($0.dropFirst(path.count + 1)) }
      try #require(try fs.list(path).map(\.name) == names)
    }
    for path in model.files {
      let file = try fs.open(path)
      let (found, wanted) = (try file.read(at: 0, count: .max), model.nodes[path]?.bytes ?? [])
      try #require(found == wanted, "\(path): \(Self.difference(found, wanted)); \(report)")
      file.close()
    }
  }

  private static func difference(_ found: [UInt8], _ wanted: [UInt8]) -> String {
    let first = zip(found, wanted).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, wanted.count)
    return "\(found.count) bytes, \(wanted.count) wanted, first other one \(first)"
  }
}
