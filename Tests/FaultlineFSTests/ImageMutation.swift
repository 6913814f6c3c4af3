import Faultline
import Testing

@testable import FaultlineFS

/// Changes an image as no file system would and lets everything that reads images loose on it. Whether anything traps is the test.
struct ImageMutation {
  private let pristine: RAMDevice
  private let device: RAMDevice
  private let metadata: [UInt64]
  private let geometry: Geometry
  private var random: SeededGenerator
  private(set) var images = 0
  private(set) var mounted = 0
  private(set) var clean = 0

  init(_ mode: MetadataMode, isUnmounted: Bool, seed: UInt64) throws {
    pristine = try SampleImage.make(mode, pages: 96, isUnmounted: isUnmounted)
    device = try pristine.copy()
    random = SeededGenerator(seed: seed)
    let fs = try ExtentFileSystem.mount(pristine, options: MountOptions(readOnly: true))
    geometry = fs.geometry
    let structures = 0..<fs.geometry.data.lowerBound
    var found = Array(structures)
    for magic in ["FLEX", "FLDI"] { found += try pristine.blocks(magic) }
    fs.abandon()
    let source = pristine
    metadata = found.filter { source.number($0 << 12) != 0 || source.number($0 << 12 + 32) != 0 }
  }

  mutating func run(_ count: Int) throws {
    for _ in 0..<count {
      var changed: Set<UInt64> = []
      for _ in 0...random.next() % 3 { changed.insert(mutate()) }
      images += 1
      if FileSystemCheck.run(device) == [] { clean += 1 }
      if try look() { mounted += 1 }
      if random.next() % 4 == 0 {
        use()
        _ = FileSystemCheck.run(device)
        restore(0..<device.pageCount)
      } else {
        for block in changed.sorted() { restore(block..<block + 1) }
      }
    }
  }

  private func restore(_ blocks: Range<UInt64>) {
    device.store(
      UnsafeRawBufferPointer(start: pristine.bytes + Int(blocks.lowerBound << 12), count: blocks.count << 12),
      at: blocks.lowerBound << 12)
  }

  // MARK: changing

  /// Changes one block; more often than not its checksums are right afterwards.
  private mutating func mutate() -> UInt64 {
    let block = metadata.randomElement(using: &random)!
    let bytes = device.bytes + Int(block << 12)
    let record = geometry.inodeStart..<geometry.inodeStart + geometry.inodeBlockCount
    let width = [1, 4, 8].randomElement(using: &random)!
    var at = Int(random.next() % (random.next() % 2 == 0 ? 128 : 4096)) & ~(width - 1)
    if record.contains(block) { at = (at % 256) & ~(width - 1) + 32 + Int(random.next() % 15) * 256 }
    let value = interesting()
    withUnsafeBytes(of: value.littleEndian) {
      (bytes + at).copyMemory(from: $0.baseAddress!, byteCount: min(width, 4096 - at))
    }
    if random.next() % 4 != 0 { reseal(bytes, isTable: record.contains(block)) }
    return block
  }

  private mutating func interesting() -> UInt64 {
    switch random.next() % 8 {
    case 0: random.next()
    case 1: .max
    case 2: 1 << (random.next() % 64)
    case 3: (1 << (random.next() % 64)) &- 1
    case 4: 0
    case 5: random.next() % 8
    default: random.next() % 96
    }
  }

  private func reseal(_ bytes: UnsafeMutableRawPointer, isTable: Bool) {
    if isTable {
      for slot in 0..<15 { seal(bytes + 32 + slot * 256, 256) }
    }
    switch UnsafeRawPointer(bytes).number(0, as: UInt32.self) {
    case 0x4848_4c46:
      seal(bytes, 64)
      seal(bytes + 64, 64)
    case 0x4d43_4c46: seal(bytes, 64)
    default: seal(bytes, 4096)
    }
  }

  private func seal(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
    bytes.set(4, UnsafeRawPointer(bytes).checksum(count: count, without: 4))
  }

  // MARK: using

  /// Reads all that can be read; whether it could be mounted.
  private func look() throws -> Bool {
    guard let fs = try? ExtentFileSystem.mount(device, options: MountOptions(readOnly: true)) else { return false }
    defer { fs.abandon() }
    read("", fs, depth: 0)
    return true
  }

  private func read(_ path: String, _ fs: ExtentFileSystem, depth: Int) {
    guard depth < 8 else { return }
    for entry in (try? fs.list(path)) ?? [] {
      guard !entry.status.isDirectory else {
        read("\(path)/\(entry.name)", fs, depth: depth + 1)
        continue
      }
      guard let file = try? fs.open("\(path)/\(entry.name)") else { continue }
      _ = try? file.extentReport()
      for offset in [0, file.size / 2, file.size &- 100] { _ = try? file.read(at: offset, count: 9000) }
      file.close()
    }
  }

  /// Does what a program may do, on whatever is there.
  private mutating func use() {
    let repairs = random.next() % 2 == 0
    guard let fs = try? ExtentFileSystem.mount(device, options: MountOptions(repairs: repairs)) else { return }
    for path in ["new", "d/new", "d/e/new"] {
      guard let file = try? fs.create(path) else { continue }
      try? file.write([UInt8](repeating: 9, count: 9000), at: random.next() % 100_000)
      try? file.fsync()
      file.close()
    }
    for path in ["pieces", "d/e/text", "d/reserved"] {
      guard let file = try? fs.open(path) else { continue }
      if (try? file.beginHandle()) != nil {
        _ = try? file.map(4096 * 3..<4096 * 4, for: [.write, .fault])
        file.endHandle()
      }
      try? file.change(.punchHole, 5000..<90_000, keepSize: true)
      try? file.resize(to: random.next() % 200_000)
      try? file.change(.zeroRange, 100..<50_000, keepSize: false)
      file.close()
    }
    try? fs.rename("d/e", to: "e")
    try? fs.unlink("pieces")
    try? fs.rename("d/reserved", to: "e/text")
    try? fs.removeDirectory("d")
    if random.next() % 2 == 0 { try? fs.unmount() } else { fs.abandon() }
  }
}
