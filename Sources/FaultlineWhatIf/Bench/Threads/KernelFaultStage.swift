import CLinux
import Faultline
import Glibc

/// This program's own memory on the running kernel.
final class KernelFaultStage: Sendable {
  private static let pageBytes = 4096
  private static var areaBytes: Int { FaultStageSize.areaPages * pageBytes }

  /// Room around what threads map and unmap, so that the kernel never merges it with anything.
  private static let roomBytes = 4 * FaultStageSize.mappedBytes

  /// The addresses of the threads' areas, and of free room for each.
  private let areas: [UInt]
  private let rooms: [UInt]

  private let isStore: Bool

  /// Nil where the kernel gives no memory file or no memory, and for a load without fault-around, which a kernel
  /// switches off for nobody alone.
  ///
  /// - Parameter threads: how many have an area in it.
  init?(_ load: FaultLoad, threads: Int) {
    isStore = load.access == .write
    var areas: [UInt] = []
    var rooms: [UInt] = []
    for _ in 0..<(load == .fileLoad ? 0 : threads) {
      guard let area = Self.area(load) else { break }
      areas.append(area)
      guard let room = mmap(nil, Self.roomBytes, PROT_NONE, Self.reserving, -1, 0), room != MAP_FAILED else { break }
      rooms.append(UInt(bitPattern: room))
    }
    for room in rooms { munmap(UnsafeMutableRawPointer(bitPattern: room), Self.roomBytes) }
    self.areas = areas
    self.rooms = rooms.map { $0 + UInt(Self.roomBytes) / 2 }
    guard areas.count == threads, rooms.count == areas.count else { return nil }
  }

  deinit {
    for area in areas { munmap(UnsafeMutableRawPointer(bitPattern: area), Self.areaBytes) }
  }

  private static let reserving = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE

  /// Maps a thread's area; its file lives as long as the mapping.
  private static func area(_ load: FaultLoad) -> UInt? {
    var descriptor: Int32 = -1
    if load.isFile {
      descriptor = cl_memory_file("faultline-bench")
      guard descriptor >= 0, fill(descriptor) else { return nil }
    }
    defer { if descriptor >= 0 { close(descriptor) } }
    let type = load.isFile ? (load.isShared ? MAP_SHARED : MAP_PRIVATE) : MAP_PRIVATE | MAP_ANONYMOUS
    guard let base = mmap(nil, areaBytes, PROT_READ | PROT_WRITE, type, descriptor, 0), base != MAP_FAILED else {
      return nil
    }
    // One huge page would be one fault.
    madvise(base, areaBytes, MADV_NOHUGEPAGE)
    return UInt(bitPattern: base)
  }

  private static func fill(_ descriptor: Int32) -> Bool {
    let page = [UInt8](repeating: 1, count: pageBytes)
    return (0..<FaultStageSize.areaPages).allSatisfy { _ in write(descriptor, page, pageBytes) == pageBytes }
  }

  func part(ofThread thread: Int) -> KernelFaultPart {
    KernelFaultPart(
      area: UnsafeMutablePointer<UInt8>(bitPattern: areas[thread]).unsafelyUnwrapped, bytes: Self.areaBytes,
      room: UnsafeMutableRawPointer(bitPattern: rooms[thread]).unsafelyUnwrapped, isStore: isStore)
  }
}

/// A thread of this program.
struct KernelFaultPart: FaultPart, ~Copyable {
  private let area: UnsafeMutablePointer<UInt8>
  private let bytes: Int
  private let room: UnsafeMutableRawPointer
  private let isStore: Bool

  init(area: UnsafeMutablePointer<UInt8>, bytes: Int, room: UnsafeMutableRawPointer, isStore: Bool) {
    self.area = area
    self.bytes = bytes
    self.room = room
    self.isStore = isStore
  }

  /// The running kernel has no such faults.
  var speculation: SpeculationCounts { SpeculationCounts() }

  mutating func touch(page: Int) {
    if isStore { cl_store_byte(area + page << 12, 1) } else { load(page: page) }
  }

  mutating func load(page: Int) { _ = cl_load_byte(area + page << 12) }

  mutating func letGo() { madvise(area, bytes, MADV_DONTNEED) }

  mutating func mapAndUnmap() {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let base = mmap(room, FaultStageSize.mappedBytes, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED
    else { return }
    munmap(base, FaultStageSize.mappedBytes)
  }
}
