/// Which frames are devices' own, and where their bytes lie. Frame numbers of devices follow the machine's memory.
///
/// `@unchecked Sendable`: ranges are added under `lock`, and readers see those that were counted. Their borders never
/// change. What is in one changes under `lock` while no reader can have a frame of it: its device was removed.
final class DeviceRanges: @unchecked Sendable {
  /// Pages of all devices of a machine: 32 GiB. Their metadata costs address space only, until it is touched.
  static let capacity: UInt64 = 1 << 23
  private static let limit = 16

  /// Consecutive frames of one device, counted from the first device frame.
  private struct Range {
    let first: Int
    let end: Int
    var bytes: UnsafeMutableRawPointer
    /// `nil` once the device was removed.
    var pages: Unmanaged<DevicePageMap>?
  }

  private let lock = SpinLock()
  private let count = AtomicWord(0)
  private let ranges: UnsafeMutablePointer<Range>

  init() { ranges = .allocate(capacity: Self.limit) }

  deinit {
    for number in 0..<Int(count.load(ordering: .relaxed)) { ranges[number].pages?.release() }
    ranges.deallocate()
  }

  /// The pages of a device, numbered now if they were not yet.
  ///
  /// - Parameter order: see ``DevicePageMap/order``.
  /// - Throws: `ENOSPC` when there are too many devices, or too many pages on them; `EBUSY` when they have another
  ///   order.
  func pages(
    of device: any DAXDevice, order: UInt64?, behind frames: FramePointer
  ) throws(KernelError) -> DevicePageMap {
    lock.lock()
    defer { lock.unlock() }
    let known = Int(count.load(ordering: .relaxed))
    for number in 0..<known {
      guard let pages = ranges[number].pages?.takeUnretainedValue(), pages.device === device else { continue }
      guard pages.order == order else {
        throw KernelError(.EBUSY, "the device's pages are in use in folios of another size, or by a file system")
      }
      return pages
    }
    if let pages = reuse(known, for: device, order, behind: frames) { return pages }
    let first = known == 0 ? 0 : ranges[known - 1].end
    // Aligned as the largest folio is, so that a device's page and its frame are aligned alike.
    let largest = 1 << Int(DevicePageMap.giganticOrder)
    let start = (first + largest - 1) & ~(largest - 1)
    guard known < Self.limit, device.pageCount <= Self.capacity, start + Int(device.pageCount) <= Self.capacity else {
      throw KernelError(.ENOSPC, "a machine has at most \(Self.limit) devices with \(Self.capacity) pages in all")
    }
    let pages = DevicePageMap(device: device, order: order, frames: frames + start)
    (ranges + known).initialize(
      to: Range(
        first: start, end: start + Int(device.pageCount), bytes: device.bytes, pages: .passRetained(pages)))
    count.store(UInt64(known + 1), ordering: .releasing)
    return pages
  }

  /// Numbers the pages of a device as those of one as large that was removed.
  private func reuse(
    _ known: Int, for device: any DAXDevice, _ order: UInt64?, behind frames: FramePointer
  ) -> DevicePageMap? {
    for number in 0..<known where ranges[number].pages == nil {
      guard ranges[number].end - ranges[number].first == Int(device.pageCount) else { continue }
      let start = frames + ranges[number].first
      #if ModelCheck
        FreedMemory.exhume(start, byteCount: Int(device.pageCount) * MemoryLayout<Frame>.stride)
      #endif
      let pages = DevicePageMap(device: device, order: order, frames: start)
      ranges[number].bytes = device.bytes
      ranges[number].pages = .passRetained(pages)
      return pages
    }
    return nil
  }

  /// Lets go of a device that was removed and of its bytes, and of what its frames said. Nobody has a frame of it, or
  /// can get one.
  func forget(_ pages: DevicePageMap) {
    let start = pages.frame(ofPage: 0)
    let byteCount = Int(pages.device.pageCount) * MemoryLayout<Frame>.stride
    #if ModelCheck
      FreedMemory.bury(start, byteCount: byteCount)
    #else
      UnsafeMutableRawPointer(start).initializeMemory(as: UInt64.self, repeating: 0, count: byteCount / 8)
    #endif
    lock.lock()
    defer { lock.unlock() }
    for number in 0..<Int(count.load(ordering: .relaxed))
    where ranges[number].pages?.toOpaque() == Unmanaged.passUnretained(pages).toOpaque() {
      ranges[number].pages?.release()
      ranges[number].pages = nil
    }
  }

  /// The byte at which a device's frame begins, by its number among the device frames.
  func bytes(ofFrame number: Int) -> UnsafeMutableRawPointer? {
    guard let range = range(of: number) else { return nil }
    return range.bytes + (number - range.first) << Int(PageSize.shift)
  }

  /// The device that a frame is part of.
  func pages(ofFrame number: Int) -> DevicePageMap? { range(of: number)?.pages?.takeUnretainedValue() }

  private func range(of number: Int) -> Range? {
    for place in 0..<Int(count.load(ordering: .acquiring)) where number < ranges[place].end {
      return number >= ranges[place].first ? ranges[place] : nil
    }
    return nil
  }
}

extension PhysicalMemory {
  /// The pages of a device among the machine's frames, numbered at the first call.
  func pages(of device: any DAXDevice, order: UInt64?) throws(KernelError) -> DevicePageMap {
    try devices.pages(of: device, order: order, behind: deviceFrames)
  }

  @inline(never)
  func deviceContents(of frame: FramePointer) -> UnsafeMutableRawPointer? {
    devices.bytes(ofFrame: frame - deviceFrames)
  }

  /// The device that a frame is part of; `nil` for a frame of the machine's own memory.
  @inline(__always)
  func device(of frame: FramePointer) -> DevicePageMap? {
    frame < deviceFrames ? nil : devices.pages(ofFrame: frame - deviceFrames)
  }
}
