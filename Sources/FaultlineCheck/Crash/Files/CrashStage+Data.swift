import Faultline
import FaultlineFS

/// What a scenario does to the bytes of its files. Offsets are bytes of the file.
extension CrashStage {
  /// Stores a word through a mapping.
  ///
  /// - Returns: the signal that the store ends in.
  @discardableResult
  func store(_ mapping: StageMapping, at offset: UInt64) -> Signal? {
    var task = FaultTask()
    return store(mapping, at: offset, by: &task)
  }

  func store(_ mapping: StageMapping, at offset: UInt64, by task: inout FaultTask) -> Signal? {
    let file = mapping.file
    let value = value(for: file, at: offset)
    promise("a store to byte \(offset) of \(file.name)") { $0.mayHold(file.key, value, at: offset) }
    guard let signal = space.store(mapping.address(of: offset), value, by: &task) else { return nil }
    promise("that store ends in a signal") { $0.cannotHold(file.key, value, at: offset) }
    return signal
  }

  /// What the program does for its stores to be durable: writes a cache line back and waits. Of a synchronous mapping that is
  /// enough.
  func flush(_ mapping: StageMapping, at offset: UInt64) throws {
    let file = mapping.file
    let page = offset >> PageSize.shift
    guard
      let extent = try file.extents.extentReport().first(where: {
        $0.isWritten && ($0.page..<$0.page + $0.count).contains(page)
      })
    else { return }
    let place = (extent.devicePage + (page - extent.page)) << PageSize.shift + offset & (PageSize.bytes - 1)
    let line = place & ~(CacheLine.bytes - 1)
    let earlier = states
    device.flush(line..<line + CacheLine.bytes)
    try device.fence()
    guard mapping.isSynchronous else { return }
    let start = offset & ~(CacheLine.bytes - 1)
    promise("byte \(offset) of \(file.name) is flushed") {
      $0.settle(file.key, start..<start + CacheLine.bytes, as: earlier)
      $0.pin(file.key, byte: offset)
    }
  }

  /// Stores a word through a mapping and makes it durable.
  @discardableResult
  func persist(_ mapping: StageMapping, at offset: UInt64) throws -> Signal? {
    if let signal = store(mapping, at: offset) { return signal }
    try flush(mapping, at: offset)
    return nil
  }

  /// Loads a word through a mapping.
  func load(_ mapping: StageMapping, at offset: UInt64) -> Result<UInt64, Signal> {
    var task = FaultTask()
    return space.load(mapping.address(of: offset), by: &task)
  }

  /// Writes words one after the other with one call.
  func write(_ file: StageFile, at offset: UInt64, words: Int) throws {
    let values = (0..<words).map { value(for: file, at: offset + UInt64($0) * 8) }
    let end = offset + UInt64(words) * 8
    promise("\(words * 8) bytes are written at \(offset) of \(file.name)") { states in
      if end > states.now.files[file.key]?.size ?? 0 {
        states.change(file.key, .data) { $0.files[file.key]?.size = end }
      }
      for (index, value) in values.enumerated() { states.mayHold(file.key, value, at: offset + UInt64(index) * 8) }
    }
    let result = values.withUnsafeBytes { bytes in
      Result { () throws(KernelError) in try file.open.write(at: offset, bytes) }
    }
    try result.get()
  }

  func resize(_ file: StageFile, to size: UInt64) throws {
    promise("\(file.name) is made \(size) bytes long") { states in
      let old = states.now.files[file.key]?.size ?? 0
      // What lies behind the new end in its page is zeroed before anything is committed.
      for offset in states.now.files[file.key]?.words.keys.sorted() ?? [] where offset >= size {
        states.mayHold(file.key, 0, at: offset)
      }
      states.change(file.key, .data) {
        $0.files[file.key]?.size = size
        $0.files[file.key]?.clear(size..<UInt64.max)
      }
      if size < old { states.replacePages(PageSize.pages(covering: size)..<UInt64.max, of: file.key) }
      states.forgetEntries(of: file.extents.inode, among: device.entryCount)
    }
    try file.open.node.resize(to: size)
  }

  func allocate(_ file: StageFile, pages: Range<UInt64>, keepSize: Bool = false) throws {
    let range = pages.lowerBound << PageSize.shift..<pages.upperBound << PageSize.shift
    promise("blocks for pages \(pages) of \(file.name) are set aside") { states in
      states.change(file.key, .data) { tree in
        let size = tree.files[file.key]?.size ?? 0
        tree.files[file.key]?.size = keepSize ? size : max(size, range.upperBound)
      }
    }
    try file.open.change(.allocate, offset: range.lowerBound, length: UInt64(range.count), keepSize: keepSize)
  }

  func punch(_ file: StageFile, pages: Range<UInt64>) throws {
    let range = pages.lowerBound << PageSize.shift..<pages.upperBound << PageSize.shift
    promise("pages \(pages) of \(file.name) become a hole") { states in
      states.change(file.key, .data) { $0.files[file.key]?.clear(range) }
      states.replacePages(pages, of: file.key)
      states.forgetEntries(of: file.extents.inode, among: device.entryCount)
    }
    try file.open.change(.punchHole, offset: range.lowerBound, length: UInt64(range.count), keepSize: true)
  }

  func fsync(_ file: StageFile) throws { try sync(file, dataOnly: false) }

  func fdatasync(_ file: StageFile) throws { try sync(file, dataOnly: true) }

  private func sync(_ file: StageFile, dataOnly: Bool) throws {
    // Another thread may store meanwhile: the call promises what was there when it began.
    let earlier = states
    try file.open.node.sync(dataOnly: dataOnly)
    promise("\(dataOnly ? "fdatasync" : "fsync") of \(file.name) returned") { states in
      states.sync(file.key, dataOnly: dataOnly, as: earlier)
      states.settle(file.key, as: earlier)
    }
  }

  /// Syncs pages of a mapping.
  func msync(_ mapping: StageMapping, pages: Range<UInt64>) throws {
    let earlier = states
    let file = mapping.file
    let start = pages.lowerBound << PageSize.shift
    try space.msync(mapping.address(of: start), length: UInt64(pages.count) << PageSize.shift, .sync)
    promise("msync of pages \(pages) of \(file.name) returned") { states in
      states.sync(file.key, dataOnly: true, as: earlier)
      for page in pages {
        states.settle(file.key, page << PageSize.shift..<(page + 1) << PageSize.shift, as: earlier)
      }
    }
  }
}
